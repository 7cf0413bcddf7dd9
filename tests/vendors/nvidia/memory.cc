// Memory and copies of the CUDA face. A copy between two device ranges and a memset need the compute queue; a copy from
// or to the host does not. Pageable sources are read before the call returns; a copy to pageable memory is complete
// then.

#include <cstring>
#include <string>

#include "tests/vendors/nvidia/capture.h"
#include "tests/vendors/nvidia/state.h"

using face::answer;
using face::enter;
using standin::Kind;
using standin::Operation;
using standin::Range;
using standin::Work;

namespace {

bool is_device(const std::optional<Range>& range) { return range && range->kind == Kind::kDevice; }

void check_kind(const char* call, int kind, bool to_device, bool from_device) {
  if (kind == 4) return;  // by the pointers
  if (kind < 0 || kind > 4) standin::misuse(call, "unknown kind of copy");
  if (to_device != (kind == 1 || kind == 3) || from_device != (kind == 2 || kind == 3))
    standin::misuse(call, "the kind of copy does not fit the pointers (foreign, freed or host memory)");
}

void copy_now(const char* call, void* to, const void* from, std::size_t bytes) {
  const char* source = standin::reach_read(call, from, bytes);
  std::memmove(standin::reach_write(call, to, bytes), source, bytes);
}

// Older layouts begin with the type under a deprecated name, too.
template <typename Attributes>
void set_type(Attributes& attributes, int type) {
  attributes.type = type;
  if constexpr (requires { attributes.memoryType; }) attributes.memoryType = type;
}

cudaError_t copy(const char* call, void* to, const void* from, std::size_t bytes, int kind, cudaStream_t handle,
                 bool synchronous) {
  enter(call);
  const auto stream = face::stream_of(call, handle);
  if (synchronous)
    if (const int error = face::unsafe_call()) return answer(error);
  if (bytes == 0) return answer(face::kSuccess);
  standin::reach(call, to, bytes);
  standin::reach(call, from, bytes);
  const auto to_range = standin::find(to);
  const auto from_range = standin::find(from);
  const bool both = is_device(to_range) && is_device(from_range);
  check_kind(call, kind, is_device(to_range), is_device(from_range));
  Operation operation{both ? Work::kCompute : is_device(to_range) ? Work::kCopyIn : Work::kCopyOut};
  if (!from_range && !synchronous) {
    auto staged = std::make_shared<std::string>(static_cast<const char*>(from), bytes);
    operation.run = [=] { copy_now(call, to, staged->data(), bytes); };
  } else {
    operation.run = [=] { copy_now(call, to, from, bytes); };
  }
  const standin::Mark mark = standin::enqueue(stream, std::move(operation));
  const bool on_host = !is_device(to_range) && !is_device(from_range);  // complete on return, whatever the call
  if (!to_range || on_host || (synchronous && !both)) standin::wait(mark);
  return answer(face::kSuccess);
}

cudaError_t release(const char* call, void* pointer, Kind kind, bool registered) {
  enter(call);
  if (pointer == nullptr) return answer(face::kSuccess);
  const auto range = standin::find(pointer);
  if (!range || range->kind != kind || range->registered != registered ||
      range->base != reinterpret_cast<std::uintptr_t>(pointer))
    standin::misuse(call, "not the start of a live allocation of this kind");
  if (const int error = face::unsafe_call()) return answer(error);
  standin::wait_device(range->device);  // also for parked work, as measured
  standin::forget(*range);
  return answer(face::kSuccess);
}

}  // namespace

cudaError_t cudaMalloc(void** pointer, size_t bytes) {
  enter("cudaMalloc");
  if (const int error = face::unsafe_call()) return answer(error);
  *pointer = bytes == 0 ? nullptr : standin::allocate(face::current_device(), bytes);
  return answer(*pointer == nullptr && bytes != 0 ? face::kOutOfMemory : face::kSuccess);
}

cudaError_t cudaFree(void* pointer) { return release("cudaFree", pointer, Kind::kDevice, false); }

cudaError_t cudaHostAlloc(void** pointer, size_t bytes, unsigned flags) {
  enter("cudaHostAlloc");
  if ((flags & ~face::kHostAllocFlags) != 0) return answer(face::kInvalidValue);
  *pointer = bytes == 0 ? nullptr : standin::allocate_pinned(face::current_device(), bytes);
  return answer(*pointer == nullptr && bytes != 0 ? face::kOutOfMemory : face::kSuccess);
}

cudaError_t cudaFreeHost(void* pointer) { return release("cudaFreeHost", pointer, Kind::kPinned, false); }

cudaError_t cudaHostRegister(void* pointer, size_t bytes, unsigned flags) {
  enter("cudaHostRegister");
  if (pointer == nullptr || bytes == 0 || (flags & ~face::kHostRegisterFlags) != 0) return answer(face::kInvalidValue);
  const bool added = standin::add_pinned(face::current_device(), pointer, bytes);
  return answer(added ? face::kSuccess : face::kAlreadyRegistered);
}

cudaError_t cudaHostUnregister(void* pointer) { return release("cudaHostUnregister", pointer, Kind::kPinned, true); }

cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned flags) {
  enter("cudaHostGetDevicePointer");
  const auto range = standin::find(host);
  if (!range || range->kind != Kind::kPinned) return answer(face::kInvalidValue);
  *device = host;
  return answer(face::kSuccess);
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  enter("cudaPointerGetAttributes");
  const auto range = standin::find(pointer);
  void* same = const_cast<void*>(pointer);
  *attributes = {};
  if (!range && face::kUnknownPointer < 0) return answer(face::kInvalidValue);
  set_type(*attributes, is_device(range) ? face::kDeviceType : range ? face::kPinnedType : face::kUnknownPointer);
  attributes->device = range ? range->device : face::kNoDeviceNumber;
  attributes->devicePointer = range ? same : nullptr;
  attributes->hostPointer = is_device(range) ? nullptr : same;
  return answer(face::kSuccess);
}

cudaError_t cudaMemGetInfo(size_t* unused, size_t* total) {
  enter("cudaMemGetInfo");
  *unused = standin::device_bytes_free(face::current_device());
  *total = standin::device_bytes();
  return answer(face::kSuccess);
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, int kind) {
  return copy("cudaMemcpy", to, from, bytes, kind, nullptr, true);
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, int kind, cudaStream_t stream) {
  return copy("cudaMemcpyAsync", to, from, bytes, kind, stream, false);
}

cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t handle) {
  const char* call = "cudaMemsetAsync";
  enter(call);
  const auto stream = face::stream_of(call, handle);
  if (bytes == 0) return answer(face::kSuccess);
  standin::reach(call, to, bytes);
  if (!standin::find(to)) standin::misuse(call, "not memory of a device");
  Operation operation{Work::kCompute, [=] { std::memset(standin::reach_write(call, to, bytes), value, bytes); }};
  standin::enqueue(stream, std::move(operation));
  return answer(face::kSuccess);
}
