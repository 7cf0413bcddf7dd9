// Events: a snapshot of a stream's position, and the time at which the device came by.

#include <atomic>
#include <chrono>
#include <mutex>

#include "tests/vendors/nvidia/capture.h"
#include "tests/vendors/nvidia/handles.h"
#include "tests/vendors/nvidia/state.h"

using face::answer;
using face::check_handle;
using face::enter;
using standin::Operation;
using standin::Work;

namespace {

using Nanoseconds = std::atomic<std::int64_t>;

// One recording. It outlives the event while the device has not come by.
struct Record {
  standin::Mark mark = {};
  std::shared_ptr<Nanoseconds> at = nullptr;
  face::Captured captured = {};  // recorded in a capture: nothing else is set
};

constexpr unsigned kDisableTiming = 2, kExternal = 1;

}  // namespace

struct CUevent_st {
  unsigned flags = 0;
  std::mutex lock = {};
  Record record = {};
};

namespace {

Record record_of(const char* call, cudaEvent_t event) {
  check_handle(call, event);
  const std::lock_guard<std::mutex> hold(event->lock);
  return event->record;
}

// A query or a wait while something is captured.
int refused(const Record& record) { return record.captured.capture ? face::kCapturedEvent : face::unsafe_call(); }

void set(cudaEvent_t event, Record record) {
  const std::lock_guard<std::mutex> hold(event->lock);
  event->record = std::move(record);
}

}  // namespace

cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, 0); }

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  enter("cudaEventCreateWithFlags");
  if (flags > 3) return answer(face::kNotSupported);  // 4: between processes
  *event = new CUevent_st{flags};
  face::add_handle(*event);
  return answer(face::kSuccess);
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return cudaEventRecordWithFlags(event, stream, 0);
}

// External asks for a node of its own in a captured graph; elsewhere it changes nothing.
cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t handle, unsigned flags) {
  const char* call = "cudaEventRecord";
  enter(call);
  if (flags > kExternal) return answer(face::kInvalidValue);
  check_handle(call, event);
  const auto stream = face::stream_of(call, handle);
  if (auto captured = face::captured_at(stream); captured.capture) {
    if (flags == kExternal) return answer(face::kNotSupported);
    set(event, Record{{}, nullptr, std::move(captured)});
    return answer(face::kSuccess);
  }
  const auto at = std::make_shared<Nanoseconds>(0);
  const standin::Mark mark = standin::enqueue(
      stream, Operation{Work::kMarker, [at] { *at = std::chrono::steady_clock::now().time_since_epoch().count(); }});
  set(event, Record{mark, at});
  return answer(face::kSuccess);
}

// An event that was never recorded holds nothing up.
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags) {
  const char* call = "cudaStreamWaitEvent";
  enter(call);
  if (flags > kExternal) return answer(face::kInvalidValue);
  const Record record = record_of(call, event);
  const auto waiting = face::stream_of(call, stream);
  if (record.captured.capture) return answer(face::join_capture(waiting, record.captured));
  if (!record.at) return answer(face::kSuccess);
  if (const int error = face::depend_on_uncaptured(waiting)) return answer(error);
  standin::enqueue(waiting, Operation{Work::kMarker, nullptr, nullptr, nullptr, {record.mark}});
  return answer(face::kSuccess);
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  enter("cudaEventQuery");
  const Record record = record_of("cudaEventQuery", event);
  if (const int error = refused(record)) return answer(error);
  return answer(standin::reached(record.mark) ? face::kSuccess : face::kNotReady);
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  enter("cudaEventSynchronize");
  const Record record = record_of("cudaEventSynchronize", event);
  if (const int error = refused(record)) return answer(error);
  standin::wait(record.mark);
  return answer(face::kSuccess);
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  const char* call = "cudaEventElapsedTime";
  enter(call);
  const Record first = record_of(call, begin), second = record_of(call, end);
  if (!first.at || !second.at || ((begin->flags | end->flags) & kDisableTiming) != 0)
    return answer(face::kInvalidHandle);
  if (!standin::reached(first.mark) || !standin::reached(second.mark)) return answer(face::kNotReady);
  *milliseconds = static_cast<float>(static_cast<double>(*second.at - *first.at) * 1e-6);
  return answer(face::kSuccess);
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  enter("cudaEventDestroy");
  face::drop_handle("cudaEventDestroy", event);
  delete event;
  return answer(face::kSuccess);
}
