// Groups of the calling thread.

#include <cstring>

#include "abi/entry.h"

using namespace amalgam;

ncclResult_t pncclGroupStart() {
  return abi::entry("ncclGroupStart", [] { return launch::group_start(); });
}
AMALGAM_PUBLIC_NAME(ncclGroupStart);

ncclResult_t pncclGroupEnd() {
  return abi::entry("ncclGroupEnd", [] { return launch::group_end(); });
}
AMALGAM_PUBLIC_NAME(ncclGroupEnd);

ncclResult_t pncclGroupSimulateEnd(ncclSimInfo_t* simInfo) {
  constexpr const char* kName = "ncclGroupSimulateEnd";
  constexpr unsigned kMagic = 0x74685283;
  return abi::entry(kName, [&]() -> Status {
    double microseconds = -1;                                      // an inner level leaves NCCL's word for "undefined"
    Status simulated = launch::group_simulate_end(&microseconds);  // ends the group, whatever is wrong below
    AMALGAM_TRY(abi::check_pointer(kName, "simInfo", simInfo));
    if (simInfo->magic != kMagic || simInfo->size < offsetof(ncclSimInfo_t, estimatedTime) + sizeof(float))
      return abi::invalid_argument("{}: initialise simInfo with NCCL_SIM_INFO_INITIALIZER", kName);
    if (!simulated.ok()) return simulated;
    simInfo->estimatedTime = static_cast<float>(microseconds);
    return {};
  });
}
AMALGAM_PUBLIC_NAME(ncclGroupSimulateEnd);
