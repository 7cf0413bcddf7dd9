#pragma once

// A vendor's runtime and the stand-in's kernels by whatever names, so that one program runs on all of them.

#include <cstddef>
#include <cstdint>

#include "tests/vendors/nvidia/face.h"

namespace stress {

struct Device {
  const char* vendor;
  int (*set_device)(int);
  int (*allocate)(void**, std::size_t);
  int (*release)(void*);
  int (*copy)(void*, const void*, std::size_t, int kind, cudaStream_t);
  int (*create_stream)(cudaStream_t*, unsigned);
  int (*destroy_stream)(cudaStream_t);
  int (*synchronize)(cudaStream_t);
  int (*call_host)(cudaStream_t, void (*)(void*), void*);
  int (*create_event)(cudaEvent_t*, unsigned);
  int (*destroy_event)(cudaEvent_t);
  int (*record)(cudaEvent_t, cudaStream_t);
  int (*wait)(cudaStream_t, cudaEvent_t, unsigned);
  int (*fill)(void*, double, std::size_t, int type, cudaStream_t);
  int (*copy_by_kernel)(void*, const void*, std::size_t, int type, cudaStream_t);
  int (*fold)(void*, const void*, std::size_t, int type, int fold, cudaStream_t);
};

inline constexpr Device kCuda = {"cuda",
                                 cudaSetDevice,
                                 cudaMalloc,
                                 cudaFree,
                                 cudaMemcpyAsync,
                                 cudaStreamCreateWithFlags,
                                 cudaStreamDestroy,
                                 cudaStreamSynchronize,
                                 cudaLaunchHostFunc,
                                 cudaEventCreateWithFlags,
                                 cudaEventDestroy,
                                 cudaEventRecord,
                                 cudaStreamWaitEvent,
                                 standin_launch_fill,
                                 standin_launch_copy,
                                 standin_launch_fold};

// Where a rank works: a device of a runtime, or (null) the CPU.
struct Place {
  const Device* device = nullptr;
  int number = -1;
};

}  // namespace stress

#ifdef STANDIN_CUDA13  // its runtime has CUDA's names, so it is alone in a process
extern "C" {
int hipSetDevice(int);
int hipMalloc(void**, std::size_t);
int hipFree(void*);
int hipMemcpyAsync(void*, const void*, std::size_t, int, cudaStream_t);
int hipStreamCreateWithFlags(cudaStream_t*, unsigned);
int hipStreamDestroy(cudaStream_t);
int hipStreamSynchronize(cudaStream_t);
int hipLaunchHostFunc(cudaStream_t, void (*)(void*), void*);
int hipEventCreateWithFlags(cudaEvent_t*, unsigned);
int hipEventDestroy(cudaEvent_t);
int hipEventRecord(cudaEvent_t, cudaStream_t);
int hipStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned);
int standin_hip_launch_fill(void*, double, std::size_t, int, cudaStream_t);
int standin_hip_launch_copy(void*, const void*, std::size_t, int, cudaStream_t);
int standin_hip_launch_fold(void*, const void*, std::size_t, int, int, cudaStream_t);
}

namespace stress {
inline constexpr Device kHip = {"hip",
                                hipSetDevice,
                                hipMalloc,
                                hipFree,
                                hipMemcpyAsync,
                                hipStreamCreateWithFlags,
                                hipStreamDestroy,
                                hipStreamSynchronize,
                                hipLaunchHostFunc,
                                hipEventCreateWithFlags,
                                hipEventDestroy,
                                hipEventRecord,
                                hipStreamWaitEvent,
                                standin_hip_launch_fill,
                                standin_hip_launch_copy,
                                standin_hip_launch_fold};
}  // namespace stress
#endif
