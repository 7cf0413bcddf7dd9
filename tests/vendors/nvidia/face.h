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

#ifdef STANDIN_ILUVATAR
struct cudaPointerAttributes {  // [U] CUDA 10.2's
  int memoryType;               // deprecated
  int type;
  int device;
  void* devicePointer;
  void* hostPointer;
  int isManaged;
};
static_assert(sizeof(cudaPointerAttributes) == 40);
#else
struct cudaPointerAttributes {
  int type;  // [U] 0 unregistered, 1 host, 2 device
  int device;
  void* devicePointer;
  void* hostPointer;
};
static_assert(sizeof(cudaPointerAttributes) == 24);  // [C]; CUDA 13 may have reserved fields behind: not checked
#endif

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

#ifndef STANDIN_ILUVATAR  // [C] nobody was seen to use them there
STANDIN_EXPORT CUresult cuStreamWriteValue64_v2(cudaStream_t stream, CUdeviceptr at, uint64_t value, unsigned flags);
STANDIN_EXPORT CUresult cuStreamWaitValue64_v2(cudaStream_t stream, CUdeviceptr at, uint64_t value, unsigned flags);

STANDIN_EXPORT cudaError_t cudaThreadExchangeStreamCaptureMode(int* mode);
STANDIN_EXPORT cudaError_t cudaStreamIsCapturing(cudaStream_t stream, int* status);
#endif

STANDIN_EXPORT CUresult cuCtxGetCurrent(void** context);
STANDIN_EXPORT CUresult cuDeviceGetName(char* name, int length, int device);
STANDIN_EXPORT cudaError_t cudaDeviceGetPCIBusId(char* id, int length, int device);
STANDIN_EXPORT cudaError_t cudaDeviceGetAttribute(int* value, int attribute, int device);
STANDIN_EXPORT const char* cudaGetErrorName(cudaError_t error);
STANDIN_EXPORT const char* cudaGetErrorString(cudaError_t error);

// No vendor has these.
STANDIN_EXPORT const void* standin_mirror(const void* device_pointer);
// A kernel of many steps: `step` is called again and again, until it gives nonzero. It reaches memory by the next two,
// which check what every access checks.
STANDIN_EXPORT cudaError_t standin_launch_steps(int (*step)(void* state), void* state, cudaStream_t stream);
STANDIN_EXPORT const void* standin_reach_read(const char* call, const void* pointer, size_t bytes);
STANDIN_EXPORT void* standin_reach_write(const char* call, void* pointer, size_t bytes);
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
