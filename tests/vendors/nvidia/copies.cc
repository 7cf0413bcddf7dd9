// The copies of the CUDA 13 face that are made of others: rows, between devices, and the synchronous memset.

#include "tests/vendors/nvidia/cuda13.h"
#include "tests/vendors/nvidia/state.h"

using face::answer;

namespace {

template <typename Copy>
cudaError_t by_rows(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width, size_t height,
                    const Copy& copy) {
  if (width > to_pitch || width > from_pitch) return answer(face::kInvalidPitchValue);
  if (width == to_pitch && width == from_pitch) return copy(to, from, width * height);
  for (size_t row = 0; row < height; ++row) {
    const cudaError_t error =
        copy(static_cast<char*>(to) + row * to_pitch, static_cast<const char*>(from) + row * from_pitch, width);
    if (error != face::kSuccess) return error;
  }
  return answer(face::kSuccess);
}

}  // namespace

// [U] From the host's side asynchronous, for device memory.
cudaError_t cudaMemset(void* to, int value, size_t bytes) { return cudaMemsetAsync(to, value, bytes, nullptr); }

cudaError_t cudaMemcpy2D(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width, size_t height,
                         int kind) {
  return by_rows(to, to_pitch, from, from_pitch, width, height,
                 [=](void* t, const void* f, size_t bytes) { return cudaMemcpy(t, f, bytes, kind); });
}

cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width,
                              size_t height, int kind, cudaStream_t stream) {
  return by_rows(to, to_pitch, from, from_pitch, width, height,
                 [=](void* t, const void* f, size_t bytes) { return cudaMemcpyAsync(t, f, bytes, kind, stream); });
}

cudaError_t cudaMemcpyPeer(void* to, int to_device, const void* from, int from_device, size_t bytes) {
  return cudaMemcpyPeerAsync(to, to_device, from, from_device, bytes, nullptr);
}

cudaError_t cudaMemcpyPeerAsync(void* to, int to_device, const void* from, int from_device, size_t bytes,
                                cudaStream_t stream) {
  if (!face::exists(to_device) || !face::exists(from_device)) return answer(face::kInvalidDevice);
  const auto lies_on = [](const void* pointer, int device) {
    const auto range = standin::find(pointer);
    return range && range->kind == standin::Kind::kDevice && range->device == device;
  };
  if (bytes != 0 && (!lies_on(to, to_device) || !lies_on(from, from_device)))
    standin::misuse("cudaMemcpyPeerAsync", "memory of another device than the call says");
  return cudaMemcpyAsync(to, from, bytes, 3, stream);
}
