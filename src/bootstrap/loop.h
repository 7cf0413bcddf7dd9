#pragma once

// The event loop of the service thread: file descriptors, timers, and tasks posted by other threads.
//
// Threads    post() and on_thread(): any. Everything else: the thread that calls run(), or before run() is called.
// Ownership  the loop never owns an fd. Handlers are owned by the loop until unwatch() or cancel(); a handler may
//            remove itself, and a removed one is not called again, not even for an event already fetched.
// Blocking   handlers must not block.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "base/unique_fd.h"

namespace amalgam::bootstrap {

class Loop {
 public:
  using Token = std::uint64_t;
  using IoHandler = std::function<void(std::uint32_t events)>;
  using Task = std::function<void()>;

  Status open();
  [[noreturn]] void run();
  void post(Task task);
  bool on_thread() const { return std::this_thread::get_id() == thread_.load(std::memory_order_acquire); }

  Token watch(int fd, std::uint32_t events, IoHandler handler);
  void change(Token token, std::uint32_t events);
  void unwatch(Token token);  // before the fd is closed

  Token at(TimePoint when, Task handler);
  void cancel(Token token);

 private:
  struct Watched {
    int fd;
    std::uint32_t events;
    IoHandler handler;
  };

  int wait_limit_ms() const;
  void run_tasks();
  void run_timers();

  UniqueFd epoll_;
  UniqueFd wake_;
  std::atomic<std::thread::id> thread_{};
  Token next_token_ = 1;                                         // 0 is the wake-up's
  std::unordered_map<Token, std::shared_ptr<Watched>> watched_;  // shared: a handler may unwatch itself while it runs
  std::map<std::pair<TimePoint, Token>, Task> timers_;
  std::unordered_map<Token, TimePoint> timer_times_;

  std::mutex mutex_;  // guards tasks_
  std::vector<Task> tasks_;
};

// Keeps an fd watched for as long as it lives.
class Watch {
 public:
  Watch() = default;
  Watch(Loop& loop, int fd, std::uint32_t events, Loop::IoHandler handler)
      : loop_(&loop), token_(loop.watch(fd, events, std::move(handler))) {}
  Watch(Watch&& other) noexcept : loop_(std::exchange(other.loop_, nullptr)), token_(other.token_) {}
  Watch& operator=(Watch&& other) noexcept {
    reset();
    loop_ = std::exchange(other.loop_, nullptr);
    token_ = other.token_;
    return *this;
  }
  ~Watch() { reset(); }
  void change(std::uint32_t events) {
    if (loop_ != nullptr) loop_->change(token_, events);
  }
  void reset() {
    if (loop_ != nullptr) std::exchange(loop_, nullptr)->unwatch(token_);
  }

 private:
  Loop* loop_ = nullptr;
  Loop::Token token_ = 0;
};

// Keeps a timer set for as long as it lives.
class Timer {
 public:
  Timer() = default;
  Timer(Loop& loop, TimePoint when, Loop::Task handler) : loop_(&loop), token_(loop.at(when, std::move(handler))) {}
  Timer(Timer&& other) noexcept : loop_(std::exchange(other.loop_, nullptr)), token_(other.token_) {}
  Timer& operator=(Timer&& other) noexcept {
    reset();
    loop_ = std::exchange(other.loop_, nullptr);
    token_ = other.token_;
    return *this;
  }
  ~Timer() { reset(); }
  bool active() const { return loop_ != nullptr; }  // set, whether or not it fired
  void reset() {
    if (loop_ != nullptr) std::exchange(loop_, nullptr)->cancel(token_);
  }

 private:
  Loop* loop_ = nullptr;
  Loop::Token token_ = 0;
};

}  // namespace amalgam::bootstrap
