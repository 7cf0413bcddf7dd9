#include "engine/waiter.h"

#include <poll.h>
#include <sched.h>

#include <algorithm>

namespace amalgam::engine {
namespace {

constexpr std::uint32_t kBareRounds = 64;    // rounds before anything but looking again
constexpr std::uint32_t kClockEvery = 64;    // rounds between looks at the clock
constexpr std::uint32_t kCrowdedRounds = 4;  // oversubscribed: rounds before the core is given away
constexpr std::chrono::microseconds kBothNap{100}, kConnectNap{1000};

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

void Waiter::idle(const Bed& bed) {
  ++idle_rounds_;
  if (about_to_sleep_) return sleep(bed);
  if (policy_.oversubscribed) {
    if (idle_rounds_ > kCrowdedRounds) sched_yield();
  } else if (idle_rounds_ > kBareRounds) {
    relax();
  }
  if (idle_rounds_ % kClockEvery != 0) return;
  if (idle_rounds_ == kClockEvery) {
    since_ = Clock::now();
  } else if (Clock::now() - since_ > policy_.spin) {
    // Sleep only after one more look at the lanes with the bell's value taken before it: no wake-up can be missed.
    about_to_sleep_ = true;
    if (bed.doorbell != nullptr) bell_ = bed.doorbell->doorbell();
  }
}

void Waiter::sleep(const Bed& bed) {
  about_to_sleep_ = false;
  idle_rounds_ = kBareRounds + kClockEvery;  // stay sleepy until something moves
  descriptors_.clear();
  bed.lanes->collect_descriptors(&descriptors_);
  const std::chrono::microseconds nap = bed.polled ? kPolledNap : kNap;
  if (bed.doorbell != nullptr) {
    // Sockets cannot ring the doorbell: with both kinds of lanes sleep shortly and look at all of them.
    bed.doorbell->park(bell_, descriptors_.empty() ? nap : std::min(nap, kBothNap));
  } else {
    // Without descriptors the peer has yet to connect: nothing to wait on, and no reason to burn a core.
    const auto limit = descriptors_.empty() ? std::min(nap, kConnectNap) : nap;
    const timespec relative{0, static_cast<long>(limit.count()) * 1000};
    ::ppoll(descriptors_.data(), descriptors_.size(), &relative, nullptr);
  }
  about_to_sleep_ = true;
  if (bed.doorbell != nullptr) bell_ = bed.doorbell->doorbell();
}

}  // namespace amalgam::engine
