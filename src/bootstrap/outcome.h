#pragma once

// One answer that the service thread owes a waiting caller.
//
// Threads    set(): any, the first one counts. wait(): one caller.
// Ownership  shared by both sides, because a caller that gave up (deadline, abort) leaves before the answer comes.

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "base/status.h"
#include "bootstrap/group.h"

namespace amalgam::bootstrap {

template <typename T>
class Outcome {
 public:
  void set(Result<T> result) {
    std::lock_guard lock(mutex_);
    if (result_) return;
    result_.emplace(std::move(result));
    ready_.notify_all();
  }

  // The answer; kAborted when the token fired first; nothing when the deadline passed first.
  std::optional<Result<T>> wait(TimePoint deadline, const AbortToken* abort) {
    constexpr std::chrono::milliseconds kAbortPoll{50};
    std::unique_lock lock(mutex_);
    while (!result_) {
      if (abort != nullptr && abort->fired()) return Result<T>(Status(Code::kAborted, "aborted by this process"));
      const TimePoint now = Clock::now();
      if (now >= deadline) return std::nullopt;
      ready_.wait_until(lock, abort != nullptr ? std::min(deadline, now + kAbortPoll) : deadline);
    }
    return std::move(result_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::optional<Result<T>> result_;
};

}  // namespace amalgam::bootstrap
