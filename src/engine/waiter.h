#pragma once

// What a thread does while none of its operations can move: spin, then yield, then sleep.
//
// While ranks are at most cores a waiting thread spins (a peer answers within a microsecond and a wake-up costs tens of
// them). With more ranks than cores it gives its core away at once, because the peer it waits for needs it. After
// spin_us without movement it sleeps on its transport's doorbell, or polls sockets.
//
// Threads    owned by one driving thread

#include <chrono>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/transport.h"
#include "engine/lanes.h"

namespace amalgam::engine {

struct WaitPolicy {
  bool oversubscribed = false;
  std::chrono::microseconds spin{200};
};

// Something to sleep on: a transport with a doorbell and the lanes whose sockets matter.
struct Bed {
  transport::Transport* doorbell = nullptr;  // may be null
  const Lanes* lanes = nullptr;
  bool polled = false;  // something is waited for that wakes nobody, such as a word that a device writes
};

class Waiter {
 public:
  explicit Waiter(WaitPolicy policy) : policy_(policy) {}

  void moved() { idle_rounds_ = 0, about_to_sleep_ = false; }
  void idle(const Bed& bed);  // one round in which nothing moved

 private:
  void sleep(const Bed& bed);
  static constexpr std::chrono::microseconds kNap{2000};      // errors and aborts are noticed this soon
  static constexpr std::chrono::microseconds kPolledNap{50};  // and a device's words

  WaitPolicy policy_;
  std::uint32_t idle_rounds_ = 0;
  bool about_to_sleep_ = false;
  std::uint32_t bell_ = 0;
  TimePoint since_{};
  std::vector<pollfd> descriptors_;
};

}  // namespace amalgam::engine
