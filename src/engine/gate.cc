#include "engine/gate.h"

namespace amalgam::engine {

Result<Gate*> Gate::create(const device::Runtime& runtime, std::uint64_t* words) {
  auto* gate = new Gate(runtime, words);  // never freed: a stream may still look at it
  if (runtime.capabilities().write_value) return gate;
  Result<device::Event> event = runtime.create_event();
  if (!event) return event.status();
  gate->event_ = *event;
  return gate;
}

Status Gate::mark(device::Stream stream) {
  AMALGAM_TRY(event_ != nullptr ? runtime_.record(event_, stream) : runtime_.write_value(stream, ready_, use_));
  marked_.store(use_, std::memory_order_release);
  return {};
}

Status Gate::wait(device::Stream stream, device::Event after) {
  if (!parks()) return runtime_.wait_value(stream, done_, use_);
  AMALGAM_TRY(runtime_.wait_event(stream, after));
  AMALGAM_TRY(runtime_.call_host(stream, park, this));
  return runtime_.record(after, stream);
}

// Runs on the runtime's thread, which must not call the runtime.
void Gate::park(void* gate) {
  auto& self = *static_cast<Gate*>(gate);
  const std::uint64_t use = self.passed_.load(std::memory_order_relaxed) + 1;
  for (std::uint64_t opened = self.opened_.load(std::memory_order_acquire); opened < use;
       opened = self.opened_.load(std::memory_order_acquire))
    self.opened_.wait(opened, std::memory_order_acquire);
  self.passed_.store(use, std::memory_order_release);
}

Result<bool> Gate::ready() {
  if (marked_.load(std::memory_order_acquire) != use_) return false;
  if (event_ != nullptr) return runtime_.done(event_);
  return std::atomic_ref<std::uint64_t>(*ready_).load(std::memory_order_acquire) >= use_;
}

void Gate::open() {
  if (!parks()) {
    std::atomic_ref<std::uint64_t>(*done_).store(use_, std::memory_order_release);
    return;
  }
  opened_.store(use_, std::memory_order_release);
  opened_.notify_all();
}

}  // namespace amalgam::engine
