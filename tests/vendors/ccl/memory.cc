// Memory, registrations and windows. A window is a handle: nobody is told of it, and nothing is faster.

#include <algorithm>

#include "tests/vendors/ccl/face.h"

using namespace standin_ccl;

#if STANDIN_CCL_VERSION >= 21900
ncclResult_t ncclMemAlloc(void** out, size_t bytes) {
  if (out == nullptr) return invalid("no place for the memory");
  return cudaMalloc(out, bytes) == face::kSuccess ? ncclSuccess : ncclUnhandledCudaError;
}
ncclResult_t ncclMemFree(void* memory) {
  return cudaFree(memory) == face::kSuccess ? ncclSuccess : ncclUnhandledCudaError;
}

ncclResult_t ncclCommRegister(const ncclComm_t comm, void* buffer, size_t, void** handle) {
  if (!alive(comm) || handle == nullptr) return invalid("register");
  *handle = buffer;
  return ncclSuccess;
}
ncclResult_t ncclCommDeregister(const ncclComm_t comm, void*) {
  return alive(comm) ? ncclSuccess : invalid("deregister");
}
#endif

#if STANDIN_CCL_VERSION >= 22700
// Through the linkage table to the functions above, as the real one.
ncclResult_t ncclCommWindowRegister(ncclComm_t comm, void* buffer, size_t bytes, ncclWindow_t* window, int flags) {
  if (!alive(comm) || window == nullptr || flags < 0 || flags > NCCL_WIN_COLL_SYMMETRIC) return invalid("window");
  if (comm->scratch == nullptr && ncclMemAlloc(&comm->scratch, 4096) != ncclSuccess) return ncclUnhandledCudaError;
  void* handle = nullptr;
  if (const ncclResult_t failed = ncclCommRegister(comm, buffer, bytes, &handle); failed != ncclSuccess) return failed;
  comm->windows.push_back(handle);
  *window = static_cast<ncclWindow_t>(handle);
  return ncclSuccess;
}

ncclResult_t ncclCommWindowDeregister(ncclComm_t comm, ncclWindow_t window) {
  if (!alive(comm)) return invalid("window");
  const auto found = std::find(comm->windows.begin(), comm->windows.end(), static_cast<void*>(window));
  if (found == comm->windows.end()) return invalid("not a window of this communicator");
  comm->windows.erase(found);
  return ncclCommDeregister(comm, window);
}
#endif

#if STANDIN_CCL_VERSION >= 22800
// Compiled into the users' kernels: not modelled.
extern "C" __attribute__((visibility("default"))) ncclResult_t ncclDevCommCreate(ncclComm_t, const void*, void*) {
  set_error("the device's own communicators are not modelled");
  return ncclInvalidUsage;
}
extern "C" __attribute__((visibility("default"))) ncclResult_t ncclDevCommDestroy(ncclComm_t, const void*) {
  set_error("the device's own communicators are not modelled");
  return ncclInvalidUsage;
}
#endif
