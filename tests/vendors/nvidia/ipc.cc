// Handles of memory between processes: not yet. The core does not keep the file of a device's memory.

#include "tests/vendors/nvidia/cuda13.h"
#include "tests/vendors/nvidia/state.h"

using face::answer;

cudaError_t cudaIpcGetMemHandle(cudaIpcMemHandle_t* handle, void* pointer) { return answer(face::kNotSupported); }

cudaError_t cudaIpcOpenMemHandle(void** pointer, cudaIpcMemHandle_t handle, unsigned flags) {
  return answer(face::kNotSupported);
}

cudaError_t cudaIpcCloseMemHandle(void* pointer) { return answer(face::kNotSupported); }
