// Streams, events, memops, host functions and the kernels that no vendor has.

#include <atomic>
#include <mutex>
#include <set>

#include "tests/vendors/nvidia/state.h"

using face::answer;
using face::enter;
using standin::Operation;
using standin::Work;

struct CUstream_st {
  std::shared_ptr<standin::Stream> stream;
};
struct CUevent_st {
  standin::Mark mark;
};

namespace {

std::mutex handles_lock;

std::set<const void*>& handles() {
  static auto* const all = new std::set<const void*>;
  return *all;
}

void check_handle(const char* call, const void* handle) {
  const std::lock_guard<std::mutex> hold(handles_lock);
  if (handles().count(handle) == 0) standin::misuse(call, "a stream or event that is not live (foreign or destroyed)");
}

template <typename Handle>
Handle* add_handle(Handle made) {
  auto* handle = new Handle(std::move(made));
  const std::lock_guard<std::mutex> hold(handles_lock);
  handles().insert(handle);
  return handle;
}

template <typename Handle>
void drop_handle(const char* call, Handle* handle) {
  check_handle(call, handle);
  const std::lock_guard<std::mutex> hold(handles_lock);
  handles().erase(handle);
  delete handle;
}

std::shared_ptr<standin::Stream> per_thread_stream() {
  thread_local std::vector<std::shared_ptr<standin::Stream>> streams(static_cast<std::size_t>(standin::device_count()));
  auto& stream = streams[static_cast<std::size_t>(face::current_device())];
  if (!stream) stream = standin::make_stream(face::current_device(), true);
  return stream;
}

#ifndef STANDIN_ILUVATAR
bool value_satisfies(std::uint64_t seen, std::uint64_t value, unsigned condition) {
  switch (condition) {
    case 0: return static_cast<std::int64_t>(seen - value) >= 0;
    case 1: return seen == value;
    case 2: return (seen & value) != 0;
    default: return ~(seen | value) != 0;
  }
}

std::uint64_t* flag_at(const char* call, CUdeviceptr at) {
  void* pointer = reinterpret_cast<void*>(at);
  if (!standin::find(pointer)) standin::misuse(call, "a memop on memory that no device has mapped");
  return reinterpret_cast<std::uint64_t*>(standin::reach(call, pointer, sizeof(std::uint64_t)));
}
#endif

// The first launch of a kernel loads it, which with one channel waits for all work, parked work included.
void load_once(int device) {
  static std::atomic<bool> loaded{false};
  if (!loaded.exchange(true) && standin::channels() == 1) standin::wait_device(device);
}

}  // namespace

std::shared_ptr<standin::Stream> face::stream_of(const char* call, cudaStream_t handle) {
  const auto number = reinterpret_cast<std::uintptr_t>(handle);
  if (number <= 1) return standin::null_stream(face::current_device());
  if (number == 2) return per_thread_stream();
  check_handle(call, handle);
  return handle->stream;
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) { return cudaStreamCreateWithPriority(stream, 0, 0); }

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return cudaStreamCreateWithPriority(stream, flags, 0);
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int priority) {
  enter("cudaStreamCreate");
  if (flags > 1) return answer(face::kInvalidValue);
  *stream = add_handle(CUstream_st{standin::make_stream(face::current_device(), flags == 0)});
  return answer(face::kSuccess);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  enter("cudaStreamDestroy");
  check_handle("cudaStreamDestroy", stream);
  standin::retire(stream->stream);
  drop_handle("cudaStreamDestroy", stream);
  return answer(face::kSuccess);
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  enter("cudaStreamQuery");
  return answer(standin::reached(standin::last(face::stream_of("cudaStreamQuery", stream))) ? face::kSuccess
                                                                                            : face::kNotReady);
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  enter("cudaStreamSynchronize");
  standin::wait(standin::last(face::stream_of("cudaStreamSynchronize", stream)));
  return answer(face::kSuccess);
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags) {
  enter("cudaStreamWaitEvent");
  check_handle("cudaStreamWaitEvent", event);
  standin::enqueue(face::stream_of("cudaStreamWaitEvent", stream),
                   Operation{Work::kMarker, nullptr, nullptr, nullptr, {event->mark}});
  return answer(face::kSuccess);
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, void (*function)(void*), void* data) {
  enter("cudaLaunchHostFunc");
  standin::enqueue(face::stream_of("cudaLaunchHostFunc", stream),
                   Operation{Work::kHostFunction, [=] { function(data); }});
  return answer(face::kSuccess);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  enter("cudaEventCreateWithFlags");
  if (flags > 3) return answer(face::kNotSupported);  // 4: between processes
  *event = add_handle(CUevent_st{});
  return answer(face::kSuccess);
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  enter("cudaEventRecord");
  check_handle("cudaEventRecord", event);
  event->mark = standin::enqueue(face::stream_of("cudaEventRecord", stream), Operation{});
  return answer(face::kSuccess);
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  enter("cudaEventQuery");
  check_handle("cudaEventQuery", event);
  return answer(standin::reached(event->mark) ? face::kSuccess : face::kNotReady);
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  enter("cudaEventSynchronize");
  check_handle("cudaEventSynchronize", event);
  standin::wait(event->mark);
  return answer(face::kSuccess);
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  enter("cudaEventDestroy");
  drop_handle("cudaEventDestroy", event);
  return answer(face::kSuccess);
}

#ifndef STANDIN_ILUVATAR
CUresult cuStreamWriteValue64_v2(cudaStream_t stream, CUdeviceptr at, uint64_t value, unsigned flags) {
  const char* call = "cuStreamWriteValue64";
  enter(call);
  flag_at(call, at);
  Operation operation{Work::kMarker, [=] {
                        standin::reach_write(call, reinterpret_cast<void*>(at), sizeof value);
                        __atomic_store_n(flag_at(call, at), value, __ATOMIC_RELEASE);
                      }};
  standin::enqueue(face::stream_of(call, stream), std::move(operation));
  return face::kSuccess;
}

CUresult cuStreamWaitValue64_v2(cudaStream_t stream, CUdeviceptr at, uint64_t value, unsigned flags) {
  const char* call = "cuStreamWaitValue64";
  enter(call);
  const unsigned condition = flags & ~(1U << 30);  // that bit asks for a flush
  if (condition > 3) return face::kInvalidValue;
  std::uint64_t* flag = flag_at(call, at);
  const auto ready = [=] { return value_satisfies(__atomic_load_n(flag, __ATOMIC_ACQUIRE), value, condition); };
  standin::enqueue(face::stream_of(call, stream), Operation{Work::kWaitValue, nullptr, ready});
  return face::kSuccess;
}
#endif

const void* standin_mirror(const void* device_pointer) { return standin::reach("standin_mirror", device_pointer, 1); }

const void* standin_reach_read(const char* call, const void* pointer, size_t bytes) {
  return standin::reach_read(call, pointer, bytes);
}

void* standin_reach_write(const char* call, void* pointer, size_t bytes) {
  return standin::reach_write(call, pointer, bytes);
}

cudaError_t standin_launch_steps(int (*step)(void*), void* state, cudaStream_t handle) {
  const char* call = "standin_launch_steps";
  enter(call);
  const auto stream = face::stream_of(call, handle);
  load_once(standin::device_of(*stream));
  Operation kernel{Work::kCompute};
  kernel.step = [=] { return step(state) != 0; };
  standin::enqueue(stream, std::move(kernel));
  return answer(face::kSuccess);
}

cudaError_t standin_launch_fill32(uint32_t* to, uint32_t value, size_t count, cudaStream_t handle) {
  const char* call = "standin_launch_fill32";
  enter(call);
  const auto stream = face::stream_of(call, handle);
  standin::reach(call, to, count * sizeof value);
  load_once(standin::device_of(*stream));
  const auto run = [=] {
    auto* at = reinterpret_cast<uint32_t*>(standin::reach_write(call, to, count * sizeof value));
    for (std::size_t i = 0; i < count; ++i) at[i] = value;
  };
  standin::enqueue(stream, Operation{Work::kCompute, run});
  return answer(face::kSuccess);
}
