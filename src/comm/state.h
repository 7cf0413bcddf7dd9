#pragma once

// The asynchronous state of a communicator in one word, so that GetAsyncError is one atomic load, with the first
// error's text beside it.
//
// Threads    any

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "base/status.h"
#include "engine/drive.h"

namespace amalgam::comm {

class State final : public engine::StopSignal {
 public:
  // kOk, kInProgress while work is pending, or the sticky error.
  Code code() const {
    const std::uint64_t word = word_.load(std::memory_order_acquire);
    if ((word & kCodeMask) != 0) return static_cast<Code>(word & kCodeMask);
    return word >= kPending ? Code::kInProgress : Code::kOk;
  }
  bool failed() const {
    return (word_.load(std::memory_order_seq_cst) & kCodeMask) != 0;
  }  // seq_cst: Communicator::join()
  bool revoked() const { return (word_.load(std::memory_order_acquire) & kRevoked) != 0; }
  bool pending() const { return word_.load(std::memory_order_acquire) >= kPending; }

  bool fail(const Status& reason);  // true for the first error, which sticks
  void revoke() { word_.fetch_or(kRevoked, std::memory_order_acq_rel); }
  void begin() { word_.fetch_add(kPending, std::memory_order_acq_rel); }
  void end() {
    word_.fetch_sub(kPending, std::memory_order_acq_rel);
    word_.notify_all();
  }
  // Work on a device's streams: it does not make the communicator pending, since its calls have returned, but
  // whoever ends the communicator waits for it.
  void take_off() { flying_.fetch_add(1, std::memory_order_acq_rel); }
  void land() {
    flying_.fetch_sub(1, std::memory_order_acq_rel);
    flying_.notify_all();
  }
  void wait_until_landed() const {
    for (std::uint32_t flying = flying_.load(std::memory_order_acquire); flying != 0;
         flying = flying_.load(std::memory_order_acquire))
      flying_.wait(flying, std::memory_order_acquire);
  }
  void wait_until_idle() const {  // until nothing is pending or flying
    wait_until_landed();
    wait_until_below(kPending);
  }
  void wait_until_alone() const { wait_until_below(2 * kPending); }  // for work that itself is pending

  bool raised() const override { return (word_.load(std::memory_order_relaxed) & (kCodeMask | kRevoked)) != 0; }
  Status reason() const override;

 private:
  void wait_until_below(std::uint64_t limit) const {
    for (std::uint64_t word = word_.load(std::memory_order_acquire); word >= limit;
         word = word_.load(std::memory_order_acquire))
      word_.wait(word, std::memory_order_acquire);
  }

  static constexpr std::uint64_t kCodeMask = 0xff;
  static constexpr std::uint64_t kRevoked = 0x100;
  static constexpr std::uint64_t kPending = 0x10000;

  std::atomic<std::uint64_t> word_{0};
  std::atomic<std::uint32_t> flying_{0};
  mutable std::mutex mutex_;
  Status reason_;
};

}  // namespace amalgam::comm
