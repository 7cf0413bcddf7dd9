// The driver's functions by name, as the runtime gives them out: what this library exports, under its newest name, and
// what a driver has and this stand-in refuses.

#include <dlfcn.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "tests/vendors/nvidia/cuda13.h"
#include "tests/vendors/nvidia/state.h"

using face::answer;

namespace {

// Virtual memory, multicast, partitions of a device, and what asks for a context of one's own.
constexpr std::string_view kRefused[] = {
    "cuCtxFromGreenCtx",
    "cuCtxPopCurrent",
    "cuCtxPushCurrent",
    "cuDevResourceGenerateDesc",
    "cuDevSmResourceSplitByCount",
    "cuDeviceGetDevResource",
    "cuGreenCtxCreate",
    "cuGreenCtxDestroy",
    "cuGreenCtxStreamCreate",
    "cuMemAddressFree",
    "cuMemAddressReserve",
    "cuMemCreate",
    "cuMemExportToShareableHandle",
    "cuMemGetAllocationGranularity",
    "cuMemGetAllocationPropertiesFromHandle",
    "cuMemImportFromShareableHandle",
    "cuMemMap",
    "cuMemRelease",
    "cuMemRetainAllocationHandle",
    "cuMemSetAccess",
    "cuMemUnmap",
    "cuMemsetD32Async",
    "cuMulticastAddDevice",
    "cuMulticastBindMem",
    "cuMulticastCreate",
    "cuMulticastUnbind",
};

CUresult refuse() { return face::kNotSupported; }

void* own_library() {
  static void* const own = [] {
    Dl_info found;
    return ::dladdr(reinterpret_cast<void*>(&cuInit), &found) == 0 ? nullptr : ::dlopen(found.dli_fname, RTLD_LAZY);
  }();
  return own;
}

// A name without a suffix means the function that is newest at the caller's version: 13.0 here.
void* find(const std::string& name) {
  for (const char* suffix : {"_v3", "_v2", ""})
    if (void* function = ::dlsym(own_library(), (name + suffix).c_str())) return function;
  const bool refused = std::find(std::begin(kRefused), std::end(kRefused), name) != std::end(kRefused);
  return refused ? reinterpret_cast<void*>(&refuse) : nullptr;
}

}  // namespace

cudaError_t cudaGetDriverEntryPoint(const char* name, void** function, unsigned long long flags, int* status) {
  return cudaGetDriverEntryPointByVersion(name, function, face::kVersion, flags, status);
}

cudaError_t cudaGetDriverEntryPointByVersion(const char* name, void** function, unsigned version,
                                             unsigned long long flags, int* status) {
  face::ask("cudaGetDriverEntryPointByVersion");
  if (name == nullptr || function == nullptr || flags > 2) return answer(face::kInvalidValue);
  *function = std::string_view(name).starts_with("cu") ? find(name) : nullptr;
  if (status != nullptr) *status = *function == nullptr ? 1 : 0;  // [H] symbol not found; the call itself succeeded [U]
  return answer(face::kSuccess);
}
