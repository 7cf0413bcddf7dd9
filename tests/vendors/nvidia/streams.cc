// Streams: making and ending them, waiting for them, and the functions of the host in them.

#include "tests/vendors/nvidia/capture.h"
#include "tests/vendors/nvidia/handles.h"
#include "tests/vendors/nvidia/state.h"

using face::answer;
using face::check_handle;
using face::enter;
using standin::Operation;
using standin::Work;

struct CUstream_st {
  std::shared_ptr<standin::Stream> stream;
};

namespace {

// A thread's own streams, one for each device; retired as the thread ends. A pointer, because another destructor of the
// thread may call in later.
using Streams = std::vector<std::shared_ptr<standin::Stream>>;
thread_local Streams* own_streams = nullptr;

struct RetireOwnStreams {
  ~RetireOwnStreams() {
    if (own_streams == nullptr) return;
    for (const auto& stream : *own_streams)
      if (stream) standin::retire(stream);
    delete own_streams;
    own_streams = nullptr;
  }
};

std::shared_ptr<standin::Stream> per_thread_stream() {
  thread_local const RetireOwnStreams at_end;
  if (own_streams == nullptr) own_streams = new Streams(static_cast<std::size_t>(standin::device_count()));
  auto& stream = (*own_streams)[static_cast<std::size_t>(face::current_device())];
  if (!stream) stream = standin::make_stream(face::current_device(), true);
  return stream;
}

// A query or a wait while something is captured.
int refused(const std::shared_ptr<standin::Stream>& stream) {
  const int error = face::use_outside_capture(stream);
  return error != face::kSuccess ? error : face::unsafe_call();
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
  *stream = new CUstream_st{standin::make_stream(face::current_device(), flags == 0)};
  face::add_handle(*stream);
  return answer(face::kSuccess);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  enter("cudaStreamDestroy");
  check_handle("cudaStreamDestroy", stream);
  if (const int error = face::use_outside_capture(stream->stream)) return answer(error);
  face::drop_handle("cudaStreamDestroy", stream);
  standin::retire(stream->stream);
  delete stream;
  return answer(face::kSuccess);
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  enter("cudaStreamQuery");
  const auto queried = face::stream_of("cudaStreamQuery", stream);
  if (const int error = refused(queried)) return answer(error);
  return answer(standin::reached(standin::last(queried)) ? face::kSuccess : face::kNotReady);
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  enter("cudaStreamSynchronize");
  const auto awaited = face::stream_of("cudaStreamSynchronize", stream);
  if (const int error = refused(awaited)) return answer(error);
  standin::wait(standin::last(awaited));
  return answer(face::kSuccess);
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, void (*function)(void*), void* data) {
  enter("cudaLaunchHostFunc");
  if (function == nullptr) return answer(face::kInvalidValue);
  standin::enqueue(face::stream_of("cudaLaunchHostFunc", stream),
                   Operation{Work::kHostFunction, [=] { function(data); }});
  return answer(face::kSuccess);
}

cudaError_t cudaStreamAddCallback(cudaStream_t stream, void (*callback)(cudaStream_t, cudaError_t, void*), void* data,
                                  unsigned flags) {
  enter("cudaStreamAddCallback");
  if (callback == nullptr || flags != 0) return answer(face::kInvalidValue);
  standin::enqueue(face::stream_of("cudaStreamAddCallback", stream),
                   Operation{Work::kHostFunction, [=] { callback(stream, face::kSuccess, data); }});
  return answer(face::kSuccess);
}

int standin_waiters() { return standin::waiters(); }
int standin_streams() { return standin::streams(); }
