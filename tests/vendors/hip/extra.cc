// What HIP has in another shape than CUDA.

#include "tests/vendors/nvidia/state.h"

extern "C" {

// [U] No call tells which context is current on a thread; a device's context is the process's.
STANDIN_EXPORT int hipDevicePrimaryCtxGetState(int device, unsigned* flags, int* active) {
  if (device < 0 || device >= standin::device_count()) return face::kInvalidDevice;
  *flags = 0;
  *active = face::process_has_context() ? 1 : 0;
  return face::kSuccess;
}

#ifdef STANDIN_STREAM_VALUES
STANDIN_EXPORT int hipStreamWriteValue64(cudaStream_t stream, void* at, uint64_t value, unsigned flags) {
  return cuStreamWriteValue64_v2(stream, reinterpret_cast<CUdeviceptr>(at), value, flags);
}

// The mask is [H] one more parameter than CUDA's; only a full one is modelled.
STANDIN_EXPORT int hipStreamWaitValue64(cudaStream_t stream, void* at, uint64_t value, unsigned flags, uint64_t mask) {
  if (mask != ~uint64_t{0}) return face::kNotSupported;
  return cuStreamWaitValue64_v2(stream, reinterpret_cast<CUdeviceptr>(at), value, flags);
}
#endif

}  // extern "C"
