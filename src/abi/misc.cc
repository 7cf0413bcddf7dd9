// The library as a whole: version, unique ids, errors in words.

#include <cstring>

#include "abi/entry.h"
#include "amalgam/amalgam.h"
#include "config/settings.h"

using namespace amalgam;

// Some clients search the file for NCCL's version text instead of calling.
const char* amalgam_marker() { return "NCCL version 2.28.9+cuda13.0 as provided by Amalgam " AMALGAM_VERSION; }

ncclResult_t pncclGetVersion(int* version) {
  return abi::entry("ncclGetVersion", [&]() -> Status {
    AMALGAM_TRY(abi::check_pointer("ncclGetVersion", "version", version));
    *version = static_cast<int>(config::settings().version);
    return {};
  });
}
AMALGAM_PUBLIC_NAME(ncclGetVersion);

ncclResult_t pncclGetUniqueId(ncclUniqueId* uniqueId) {
  return abi::entry("ncclGetUniqueId", [&]() -> Status {
    AMALGAM_TRY(abi::check_pointer("ncclGetUniqueId", "uniqueId", uniqueId));
    Result<bootstrap::UniqueId> id = bootstrap::create_unique_id();
    if (!id.ok()) return id.status();
    static_assert(sizeof(uniqueId->internal) == sizeof(id->bytes));
    std::memcpy(uniqueId->internal, id->bytes.data(), sizeof(uniqueId->internal));
    return {};
  });
}
AMALGAM_PUBLIC_NAME(ncclGetUniqueId);

const char* pncclGetErrorString(ncclResult_t result) { return abi::words_for(abi::raw_value(result)); }
AMALGAM_PUBLIC_NAME(ncclGetErrorString);

const char* pncclGetLastError(ncclComm_t) {
  try {
    return log::last_error();
  } catch (...) {
    return "";
  }
}
AMALGAM_PUBLIC_NAME(ncclGetLastError);

void pncclResetDebugInit() {
  abi::entry("ncclResetDebugInit", []() -> Status {
    log::reload();
    return {};
  });
}
AMALGAM_PUBLIC_NAME(ncclResetDebugInit);

// Exported by NCCL for its own parts; some tools call it.
extern "C" __attribute__((visibility("default"))) void ncclResetDebugInitInternal() { pncclResetDebugInit(); }
