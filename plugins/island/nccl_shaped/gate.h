#pragma once

// Who is inside a vendor's communicator. Its handle may go (abort, destroy) while another thread is about to use it:
// whoever has entered is waited for, for a while, since a call of the vendor may itself wait for a dead peer.

#include <atomic>
#include <chrono>
#include <thread>

namespace amalgam::nccl_shaped {

class Gate {
 public:
  bool enter() {
    if ((inside_.fetch_add(kOne, std::memory_order_acquire) & kClosed) == 0) return true;
    leave();
    return false;
  }
  void leave() { inside_.fetch_sub(kOne, std::memory_order_release); }

  // False: it was closed before. Afterwards nobody enters; those inside have left, or `patience` is over.
  bool close(std::chrono::milliseconds patience) {
    if ((inside_.fetch_or(kClosed, std::memory_order_acq_rel) & kClosed) != 0) return false;
    const auto end = std::chrono::steady_clock::now() + patience;
    while (inside_.load(std::memory_order_acquire) != kClosed && std::chrono::steady_clock::now() < end)
      std::this_thread::yield();
    return true;
  }
  bool closed() const { return (inside_.load(std::memory_order_acquire) & kClosed) != 0; }

 private:
  static constexpr unsigned kClosed = 1, kOne = 2;
  std::atomic<unsigned> inside_{0};
};

// Inside for the time of a call.
class Visit {
 public:
  explicit Visit(Gate& gate) : gate_(gate), inside_(gate.enter()) {}
  ~Visit() {
    if (inside_) gate_.leave();
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  explicit operator bool() const { return inside_; }

 private:
  Gate& gate_;
  bool inside_;
};

}  // namespace amalgam::nccl_shaped
