#pragma once

// The functions that a stand-in runtime exports: names, values and sizes of the CUDA 13 runtime, written from a fact
// sheet, not from a header. Values are [H] (the sheet read them from a header) unless marked. What differs between
// vendors is in their vendor.h.

#include <cstddef>
#include <cstdint>

#ifndef STANDIN_BASE  // no other vendor's file was put in front
#include "tests/vendors/nvidia/vendor.h"
#endif

#define STANDIN_EXPORT __attribute__((visibility("default")))

extern "C" {

using cudaError_t = int;
using CUresult = int;
using cudaStream_t = struct CUstream_st*;
using cudaEvent_t = struct CUevent_st*;
using CUdeviceptr = unsigned long long;

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

#ifdef STANDIN_STREAM_VALUES
STANDIN_EXPORT CUresult cuStreamWriteValue64_v2(cudaStream_t stream, CUdeviceptr at, uint64_t value, unsigned flags);
STANDIN_EXPORT CUresult cuStreamWaitValue64_v2(cudaStream_t stream, CUdeviceptr at, uint64_t value, unsigned flags);
#endif

#if defined(STANDIN_CUDA13) || defined(STANDIN_CAPTURE_QUERIES)
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

// Streams, events, memops and kernels: streams.cc, events.cc, memops.cc, kernels.cc.
extern "C" {
STANDIN_EXPORT cudaError_t cudaStreamAddCallback(cudaStream_t stream,
                                                 void (*callback)(cudaStream_t, cudaError_t, void*), void* data,
                                                 unsigned flags);
STANDIN_EXPORT cudaError_t cudaEventCreate(cudaEvent_t* event);
STANDIN_EXPORT cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned flags);
STANDIN_EXPORT cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end);

#ifdef STANDIN_CUDA13
struct CUstreamBatchMemOpParams {
  struct Value {
    int operation;
    CUdeviceptr address;
    union {
      uint32_t value;
      uint64_t value64;
    };
    unsigned flags;
    CUdeviceptr alias;
  };
  struct Barrier {
    int operation;
    unsigned flags;
  };
  union {
    int operation;
    Value value;
    Barrier barrier;
    uint64_t size[6];
  };
};
static_assert(sizeof(CUstreamBatchMemOpParams) == 48);
static_assert(offsetof(CUstreamBatchMemOpParams::Value, value64) == 16);
static_assert(offsetof(CUstreamBatchMemOpParams::Value, flags) == 24);

STANDIN_EXPORT CUresult cuStreamWriteValue64(cudaStream_t stream, CUdeviceptr at, uint64_t value, unsigned flags);
STANDIN_EXPORT CUresult cuStreamWaitValue64(cudaStream_t stream, CUdeviceptr at, uint64_t value, unsigned flags);
STANDIN_EXPORT CUresult cuStreamWriteValue32(cudaStream_t stream, CUdeviceptr at, uint32_t value, unsigned flags);
STANDIN_EXPORT CUresult cuStreamWriteValue32_v2(cudaStream_t stream, CUdeviceptr at, uint32_t value, unsigned flags);
STANDIN_EXPORT CUresult cuStreamWaitValue32(cudaStream_t stream, CUdeviceptr at, uint32_t value, unsigned flags);
STANDIN_EXPORT CUresult cuStreamWaitValue32_v2(cudaStream_t stream, CUdeviceptr at, uint32_t value, unsigned flags);
// At most 255 of them, all valid or none done.
STANDIN_EXPORT CUresult cuStreamBatchMemOp(cudaStream_t stream, unsigned count, CUstreamBatchMemOpParams* all,
                                           unsigned flags);
STANDIN_EXPORT CUresult cuStreamBatchMemOp_v2(cudaStream_t stream, unsigned count, CUstreamBatchMemOpParams* all,
                                              unsigned flags);

// Capture and graphs: capture.cc, graphs.cc, of the CUDA 13 face only.
using cudaGraph_t = struct CUgraph_st*;
using cudaGraphExec_t = struct CUgraphExec_st*;
using cudaUserObject_t = struct CUuserObject_st*;
STANDIN_EXPORT cudaError_t cudaStreamBeginCapture(cudaStream_t stream, int mode);
STANDIN_EXPORT cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph);
STANDIN_EXPORT CUresult cuStreamGetCaptureInfo_v2(cudaStream_t stream, int* status, uint64_t* id, cudaGraph_t* graph,
                                                  const void*** dependencies, size_t* count);
STANDIN_EXPORT cudaError_t cudaStreamGetCaptureInfo(cudaStream_t stream, int* status, uint64_t* id, cudaGraph_t* graph,
                                                    const void*** dependencies, const void** edges,
                                                    size_t* count);  // [C] seven parameters since 13
STANDIN_EXPORT cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                                unsigned long long flags);
STANDIN_EXPORT cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* executable, cudaGraph_t graph,
                                                         unsigned long long flags);
STANDIN_EXPORT cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream);
STANDIN_EXPORT cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable);
STANDIN_EXPORT cudaError_t cudaGraphDestroy(cudaGraph_t graph);
STANDIN_EXPORT cudaError_t cudaUserObjectCreate(cudaUserObject_t* object, void* data, void (*destroy)(void*),
                                                unsigned references, unsigned flags);
STANDIN_EXPORT cudaError_t cudaUserObjectRetain(cudaUserObject_t object, unsigned count);
STANDIN_EXPORT cudaError_t cudaUserObjectRelease(cudaUserObject_t object, unsigned count);
STANDIN_EXPORT cudaError_t cudaGraphRetainUserObject(cudaGraph_t graph, cudaUserObject_t object, unsigned count,
                                                     unsigned flags);
STANDIN_EXPORT cudaError_t cudaGraphReleaseUserObject(cudaGraph_t graph, cudaUserObject_t object, unsigned count);
#endif

// No vendor has these. Types and folds have NCCL's numbers (face::Type, face::Fold).
STANDIN_EXPORT cudaError_t standin_launch_fill(void* to, double value, size_t count, int type, cudaStream_t stream);
STANDIN_EXPORT cudaError_t standin_launch_copy(void* to, const void* from, size_t count, int type, cudaStream_t stream);
// to[i] = fold(to[i], from[i])
STANDIN_EXPORT cudaError_t standin_launch_fold(void* to, const void* from, size_t count, int type, int fold,
                                               cudaStream_t stream);
STANDIN_EXPORT cudaError_t standin_launch_spin(const uint32_t* flag, cudaStream_t stream);  // until it is not zero
STANDIN_EXPORT int standin_waiters();    // threads that are blocked in a call now
STANDIN_EXPORT int standin_streams();    // that live, or have work left
STANDIN_EXPORT uint64_t standin_made();  // streams, events and allocations, ever
}

namespace face {
inline constexpr int kIllegalState = 401, kCaptureUnsupported = 900, kCaptureInvalidated = 901, kCaptureMerge = 902,
                     kCaptureUnmatched = 903, kCaptureUnjoined = 904, kCaptureIsolation = 905, kCapturedEvent = 907,
                     kCaptureWrongThread = 908;  // [H]
enum Type : int { kInt8 = 0, kUint8 = 1, kInt32 = 2, kInt64 = 4, kFloat = 7, kDouble = 8 };
enum Fold : int { kSum = 0, kProduct = 1, kMaximum = 2, kMinimum = 3 };
}  // namespace face

namespace face {
enum Error : int {
  kSuccess = 0,
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kInvalidPitchValue = 12,
  kNoDevice = 100,
  kInvalidDevice = 101,
  kInvalidContext = 201,
  kInvalidHandle = 400,  // [U]
  kNotReady = 600,
  kPeerAccessAlreadyEnabled = 704,
  kPeerAccessNotEnabled = 705,
  kAlreadyRegistered = 712,
  kNotRegistered = 713,  // [U]
  kNotSupported = 801,
};
}  // namespace face
