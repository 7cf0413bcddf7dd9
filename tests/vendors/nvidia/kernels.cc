// Kernels that no vendor has, for tests and for the stand-in collective libraries. They reach memory only by the checks
// that every access goes through.

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string_view>

#include "tests/vendors/nvidia/capture.h"
#include "tests/vendors/nvidia/state.h"

using face::answer;
using face::enter;
using standin::Operation;
using standin::Work;

namespace {

bool launches_block() {
  static const bool block = [] {
    const char* text = std::getenv(face::kBlockingVariable);
    return text != nullptr && std::string_view(text) == "1";
  }();
  return block;
}

// The first launch of a kernel loads it, which with one channel waits for all work, parked work included.
void load_once(int device) {
  static std::atomic<bool> loaded{false};
  if (!loaded.exchange(true) && standin::channels() == 1) standin::wait_device(device);
}

cudaError_t launch(const char* call, cudaStream_t handle, Operation kernel) {
  const auto stream = face::stream_of(call, handle);
  load_once(standin::device_of(*stream));
  const standin::Mark mark = standin::enqueue(stream, std::move(kernel));
  if (launches_block()) standin::wait(mark);
  return answer(face::kSuccess);
}

// Calls `function` with a null pointer to the element's type; false: an unknown type.
template <typename Function>
bool with_type(int type, const Function& function) {
  switch (type) {
    case face::kInt8: function(static_cast<std::int8_t*>(nullptr)); return true;
    case face::kUint8: function(static_cast<std::uint8_t*>(nullptr)); return true;
    case face::kInt32: function(static_cast<std::int32_t*>(nullptr)); return true;
    case face::kInt64: function(static_cast<std::int64_t*>(nullptr)); return true;
    case face::kFloat: function(static_cast<float*>(nullptr)); return true;
    case face::kDouble: function(static_cast<double*>(nullptr)); return true;
    default: return false;
  }
}

template <typename T>
T fold_two(int fold, T a, T b) {
  switch (fold) {
    case face::kSum: return static_cast<T>(a + b);
    case face::kProduct: return static_cast<T>(a * b);
    case face::kMaximum: return std::max(a, b);
    default: return std::min(a, b);
  }
}

template <typename T>
const T* read(const char* call, const void* from, std::size_t count) {
  return reinterpret_cast<const T*>(standin::reach_read(call, from, count * sizeof(T)));
}

template <typename T>
T* written(const char* call, void* to, std::size_t count) {
  return reinterpret_cast<T*>(standin::reach_write(call, to, count * sizeof(T)));
}

}  // namespace

const void* standin_mirror(const void* device_pointer) { return standin::reach("standin_mirror", device_pointer, 1); }

const void* standin_reach_read(const char* call, const void* pointer, size_t bytes) {
  return standin::reach_read(call, pointer, bytes);
}

void* standin_reach_write(const char* call, void* pointer, size_t bytes) {
  return standin::reach_write(call, pointer, bytes);
}

cudaError_t standin_launch_steps(int (*step)(void*), void* state, cudaStream_t stream) {
  enter("standin_launch_steps");
  Operation kernel{Work::kCompute};
  if (face::captured_at(face::stream_of("standin_launch_steps", stream)).capture)
    standin::misuse("standin_launch_steps", "a kernel with a state of its own cannot be captured: it would run again");
  kernel.step = [=] { return step(state) != 0; };
  return launch("standin_launch_steps", stream, std::move(kernel));
}

cudaError_t standin_launch_fill(void* to, double value, size_t count, int type, cudaStream_t stream) {
  const char* call = "standin_launch_fill";
  enter(call);
  Operation kernel{Work::kCompute};
  const bool known = with_type(type, [&](auto* element) {
    using T = std::remove_pointer_t<decltype(element)>;
    standin::reach(call, to, count * sizeof(T));
    kernel.run = [=] { std::fill_n(written<T>(call, to, count), count, static_cast<T>(value)); };
  });
  return known ? launch(call, stream, std::move(kernel)) : answer(face::kInvalidValue);
}

cudaError_t standin_launch_copy(void* to, const void* from, size_t count, int type, cudaStream_t stream) {
  const char* call = "standin_launch_copy";
  enter(call);
  Operation kernel{Work::kCompute};
  const bool known = with_type(type, [&](auto* element) {
    using T = std::remove_pointer_t<decltype(element)>;
    standin::reach(call, to, count * sizeof(T));
    standin::reach(call, from, count * sizeof(T));
    kernel.run = [=] { std::copy_n(read<T>(call, from, count), count, written<T>(call, to, count)); };
  });
  return known ? launch(call, stream, std::move(kernel)) : answer(face::kInvalidValue);
}

cudaError_t standin_launch_fold(void* to, const void* from, size_t count, int type, int fold, cudaStream_t stream) {
  const char* call = "standin_launch_fold";
  enter(call);
  if (fold < face::kSum || fold > face::kMinimum) return answer(face::kInvalidValue);
  Operation kernel{Work::kCompute};
  const bool known = with_type(type, [&](auto* element) {
    using T = std::remove_pointer_t<decltype(element)>;
    standin::reach(call, to, count * sizeof(T));
    standin::reach(call, from, count * sizeof(T));
    kernel.run = [=] {
      const T* own = read<T>(call, to, count);
      const T* other = read<T>(call, from, count);
      std::transform(own, own + count, other, written<T>(call, to, count),
                     [=](T a, T b) { return fold_two(fold, a, b); });
    };
  });
  return known ? launch(call, stream, std::move(kernel)) : answer(face::kInvalidValue);
}

cudaError_t standin_launch_spin(const uint32_t* flag, cudaStream_t stream) {
  const char* call = "standin_launch_spin";
  enter(call);
  if (!standin::find(flag)) standin::misuse(call, "not memory of a device");
  Operation kernel{Work::kCompute};
  kernel.step = [=] { return __atomic_load_n(read<uint32_t>(call, flag, 1), __ATOMIC_ACQUIRE) != 0; };
  return launch(call, stream, std::move(kernel));
}

cudaError_t standin_launch_fill32(uint32_t* to, uint32_t value, size_t count, cudaStream_t stream) {
  const char* call = "standin_launch_fill32";
  enter(call);
  standin::reach(call, to, count * sizeof value);
  const auto run = [=] { std::fill_n(written<uint32_t>(call, to, count), count, value); };
  return launch(call, stream, Operation{Work::kCompute, run});
}
