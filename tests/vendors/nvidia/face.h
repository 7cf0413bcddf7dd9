#pragma once

// The functions that the stand-in `libcudart.so.13` exports: names, values and sizes of the CUDA 13 runtime, written
// from a fact sheet, not from a header. Values are [H] (the sheet read them from a header) unless marked.

#include <cstddef>
#include <cstdint>

#define STANDIN_EXPORT __attribute__((visibility("default")))

extern "C" {

using cudaError_t = int;
using CUresult = int;
using cudaStream_t = struct CUstream_st*;
using cudaEvent_t = struct CUevent_st*;
using CUdeviceptr = unsigned long long;

struct cudaPointerAttributes {
  int type;  // [U] 0 unregistered, 1 host, 2 device
  int device;
  void* devicePointer;
  void* hostPointer;
};
static_assert(sizeof(cudaPointerAttributes) == 24);  // [C]; CUDA 13 may have reserved fields behind: not checked

STANDIN_EXPORT cudaError_t cudaGetDeviceCount(int* count);
STANDIN_EXPORT cudaError_t cudaGetDevice(int* device);
STANDIN_EXPORT cudaError_t cudaSetDevice(int device);
STANDIN_EXPORT cudaError_t cudaDeviceSynchronize();
STANDIN_EXPORT cudaError_t cudaGetLastError();
STANDIN_EXPORT cudaError_t cudaPeekAtLastError();
STANDIN_EXPORT cudaError_t cudaRuntimeGetVersion(int* version);
STANDIN_EXPORT cudaError_t cudaDriverGetVersion(int* version);
STANDIN_EXPORT cudaError_t cudaMemGetInfo(size_t* unused, size_t* total);

STANDIN_EXPORT cudaError_t cudaMalloc(void** pointer, size_t bytes);
STANDIN_EXPORT cudaError_t cudaFree(void* pointer);
STANDIN_EXPORT cudaError_t cudaHostAlloc(void** pointer, size_t bytes, unsigned flags);
STANDIN_EXPORT cudaError_t cudaFreeHost(void* pointer);
STANDIN_EXPORT cudaError_t cudaHostRegister(void* pointer, size_t bytes, unsigned flags);
STANDIN_EXPORT cudaError_t cudaHostUnregister(void* pointer);
STANDIN_EXPORT cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned flags);
STANDIN_EXPORT cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer);
STANDIN_EXPORT cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, int kind);
STANDIN_EXPORT cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, int kind, cudaStream_t stream);
STANDIN_EXPORT cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream);

STANDIN_EXPORT cudaError_t cudaStreamCreate(cudaStream_t* stream);
STANDIN_EXPORT cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
STANDIN_EXPORT cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int priority);
STANDIN_EXPORT cudaError_t cudaStreamDestroy(cudaStream_t stream);
STANDIN_EXPORT cudaError_t cudaStreamQuery(cudaStream_t stream);
STANDIN_EXPORT cudaError_t cudaStreamSynchronize(cudaStream_t stream);
STANDIN_EXPORT cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags);
STANDIN_EXPORT cudaError_t cudaLaunchHostFunc(cudaStream_t stream, void (*function)(void*), void* data);
STANDIN_EXPORT cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags);
STANDIN_EXPORT cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
STANDIN_EXPORT cudaError_t cudaEventQuery(cudaEvent_t event);
STANDIN_EXPORT cudaError_t cudaEventSynchronize(cudaEvent_t event);
STANDIN_EXPORT cudaError_t cudaEventDestroy(cudaEvent_t event);

STANDIN_EXPORT CUresult cuStreamWriteValue64_v2(cudaStream_t stream, CUdeviceptr at, uint64_t value, unsigned flags);
STANDIN_EXPORT CUresult cuStreamWaitValue64_v2(cudaStream_t stream, CUdeviceptr at, uint64_t value, unsigned flags);

// No vendor has these.
STANDIN_EXPORT const void* standin_mirror(const void* device_pointer);
STANDIN_EXPORT cudaError_t standin_launch_fill32(uint32_t* to, uint32_t value, size_t count, cudaStream_t stream);
}

namespace face {
enum Error : int {
  kSuccess = 0,
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kInvalidDevice = 101,
  kInvalidHandle = 400,  // [U]
  kNotReady = 600,
  kAlreadyRegistered = 712,
  kNotRegistered = 713,  // [U]
  kNotSupported = 801,
};
}  // namespace face
