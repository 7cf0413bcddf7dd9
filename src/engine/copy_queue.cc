#include "engine/copy_queue.h"

#include <atomic>

namespace amalgam::engine {

Result<CopyQueue> CopyQueue::create(const device::Runtime& runtime, std::uint64_t* word) {
  Result<device::Stream> stream = runtime.create_stream();
  if (!stream) return stream.status();
  return CopyQueue(runtime, *stream, word);
}

Result<std::uint64_t> CopyQueue::mark() {
  ++marked_;
  if (runtime_->capabilities().write_value) {
    AMALGAM_TRY(runtime_->write_value(stream_, word_, marked_));
    return marked_;
  }
  Result<device::Event> made = event();
  if (!made) return made.status();
  AMALGAM_TRY(runtime_->record(*made, stream_));
  running_.push_back(*made);
  return marked_;
}

Result<device::Event> CopyQueue::event() {
  if (idle_.empty()) return runtime_->create_event();
  device::Event event = idle_.back();
  idle_.pop_back();
  return event;
}

Result<bool> CopyQueue::reached(std::uint64_t mark) {
  if (mark <= reached_) return true;
  if (runtime_->capabilities().write_value) {
    reached_ = std::atomic_ref<std::uint64_t>(*word_).load(std::memory_order_acquire);
    return mark <= reached_;
  }
  while (reached_ < mark && !running_.empty()) {
    Result<bool> done = runtime_->done(running_.front());
    if (!done || !*done) return done;
    idle_.push_back(running_.front());
    running_.pop_front();
    ++reached_;
  }
  return mark <= reached_;
}

}  // namespace amalgam::engine
