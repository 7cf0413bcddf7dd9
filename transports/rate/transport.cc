#include "transports/rate/transport.h"

#include <algorithm>

#include "base/clock.h"
#include "transports/rate/lane.h"

namespace amalgam::rate {
namespace {

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count();
}

}  // namespace

bool Wire::free() const { return bytes_per_second_ == 0 || now_ns() >= free_at_ns_.load(std::memory_order_relaxed); }

void Wire::occupy(std::size_t bytes) {
  if (bytes_per_second_ == 0) return;
  const auto takes =
      static_cast<std::int64_t>(static_cast<double>(bytes) * 1e9 / static_cast<double>(bytes_per_second_));
  const std::int64_t now = now_ns();
  std::int64_t free_at = free_at_ns_.load(std::memory_order_relaxed);
  while (!free_at_ns_.compare_exchange_weak(free_at, std::max(now, free_at) + takes, std::memory_order_relaxed)) {
  }
}

Transport::Transport(std::unique_ptr<transport::Transport> inner, std::int64_t bytes_per_second)
    : decorator::Transport("rate", std::move(inner)), wire_(std::make_shared<Wire>(bytes_per_second)) {}

std::unique_ptr<transport::SendLane> Transport::wrap(std::unique_ptr<transport::SendLane> lane, int, int) {
  return std::make_unique<SendLane>(std::move(lane), wire_);
}

}  // namespace amalgam::rate
