#pragma once

// AMD's stand-in as a place for ranks.

#include "tests/vendors/rig.h"

extern "C" {
int hipSetDevice(int);
int hipMalloc(void**, std::size_t);
int hipFree(void*);
int hipMemcpyAsync(void*, const void*, std::size_t, int, cudaStream_t);
int hipStreamCreateWithFlags(cudaStream_t*, unsigned);
int hipStreamDestroy(cudaStream_t);
int hipStreamSynchronize(cudaStream_t);
}

namespace rig {

inline constexpr Runtime kHip = {
    hipSetDevice, hipMalloc, hipFree, hipMemcpyAsync, hipStreamCreateWithFlags, hipStreamDestroy, hipStreamSynchronize};

inline Place amd(int device) { return {kHip, device}; }

}  // namespace rig
