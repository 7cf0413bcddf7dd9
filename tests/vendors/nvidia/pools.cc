// Memory in a stream's order: allocated at once, freed when the stream gets there. That the allocation's own stream has
// not got there yet when another one uses the memory is not found. There are no pools to set up: NotSupported.

#include "tests/vendors/nvidia/cuda13.h"
#include "tests/vendors/nvidia/state.h"

using face::answer;
using face::enter;

cudaError_t cudaMallocAsync(void** pointer, size_t bytes, cudaStream_t handle) {
  const char* call = "cudaMallocAsync";
  enter(call);
  const auto stream = face::stream_of(call, handle);
  *pointer = bytes == 0 ? nullptr : standin::allocate(standin::device_of(*stream), bytes);
  return answer(*pointer == nullptr && bytes != 0 ? face::kOutOfMemory : face::kSuccess);
}

cudaError_t cudaFreeAsync(void* pointer, cudaStream_t handle) {
  const char* call = "cudaFreeAsync";
  enter(call);
  const auto stream = face::stream_of(call, handle);
  if (pointer == nullptr) return answer(face::kSuccess);
  const auto range = standin::find(pointer);
  if (!range || range->kind != standin::Kind::kDevice || range->base != reinterpret_cast<std::uintptr_t>(pointer))
    standin::misuse(call, "not the start of a live device allocation");
  const auto release = [=] {
    if (!standin::find(pointer)) standin::misuse(call, "memory that is freed already");
    standin::forget(*range);
  };
  standin::enqueue(stream, standin::Operation{standin::Work::kMarker, release});
  return answer(face::kSuccess);
}

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device) { return answer(face::kNotSupported); }

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, int attribute, void* value) {
  return answer(face::kNotSupported);
}

cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, int attribute, void* value) {
  return answer(face::kNotSupported);
}

cudaError_t cudaMemPoolSetAccess(cudaMemPool_t pool, const void* descriptions, size_t count) {
  return answer(face::kNotSupported);
}

cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, size_t keep) { return answer(face::kNotSupported); }
