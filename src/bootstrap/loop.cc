#include "bootstrap/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "bootstrap/fork_guard.h"

namespace amalgam::bootstrap {

Status Loop::open() {
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_.valid()) return system_error("epoll_create1", errno);
  wake_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_.valid()) return system_error("eventfd", errno);
  epoll_event event{};
  event.events = EPOLLIN;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) return system_error("epoll_ctl", errno);
  fork_guard::own(epoll_.get());
  fork_guard::own(wake_.get());
  return {};
}

void Loop::run() {
  thread_.store(std::this_thread::get_id(), std::memory_order_release);
  std::array<epoll_event, 128> events;
  while (true) {
    const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait_limit_ms());
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      auto found = watched_.find(event.data.u64);
      if (found == watched_.end()) continue;  // the wake-up, or removed by an earlier handler of this batch
      std::shared_ptr<Watched> watched = found->second;
      watched->handler(event.events);
    }
    run_tasks();
    run_timers();
  }
}

int Loop::wait_limit_ms() const {
  if (timers_.empty()) return -1;
  const auto left = timers_.begin()->first.first - Clock::now();
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::clamp<std::int64_t>(ms, 0, 60000));
}

void Loop::post(Task task) {
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    first = tasks_.empty();
    tasks_.push_back(std::move(task));
  }
  const std::uint64_t one = 1;
  if (first) (void)!::write(wake_.get(), &one, sizeof(one));
}

void Loop::run_tasks() {
  std::vector<Task> tasks;
  {
    std::lock_guard lock(mutex_);
    std::uint64_t count = 0;
    (void)!::read(wake_.get(), &count, sizeof(count));
    tasks.swap(tasks_);
  }
  for (Task& task : tasks) {
    task();
    task = nullptr;  // what it captured ends here, in order
  }
}

void Loop::run_timers() {
  const TimePoint now = Clock::now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    auto entry = timers_.extract(timers_.begin());
    timer_times_.erase(entry.key().second);
    entry.mapped()();
  }
}

Loop::Token Loop::watch(int fd, std::uint32_t events, IoHandler handler) {
  const Token token = next_token_++;
  watched_[token] = std::make_shared<Watched>(Watched{fd, events, std::move(handler)});
  fork_guard::own(fd);
  epoll_event event{};
  event.events = events;
  event.data.u64 = token;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) !=
      0)  // out of kernel memory or watches: the owner sees an error event
    post([this, token] {
      if (auto found = watched_.find(token); found != watched_.end()) {
        std::shared_ptr<Watched> watched = found->second;
        watched->handler(EPOLLERR | EPOLLHUP);
      }
    });
  return token;
}

void Loop::change(Token token, std::uint32_t events) {
  auto found = watched_.find(token);
  if (found == watched_.end() || found->second->events == events) return;
  found->second->events = events;
  epoll_event event{};
  event.events = events;
  event.data.u64 = token;
  (void)epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, found->second->fd, &event);
}

void Loop::unwatch(Token token) {
  auto found = watched_.find(token);
  if (found == watched_.end()) return;
  (void)epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second->fd, nullptr);
  fork_guard::disown(found->second->fd);
  watched_.erase(found);
}

Loop::Token Loop::at(TimePoint when, Task handler) {
  const Token token = next_token_++;
  timers_.emplace(std::pair(when, token), std::move(handler));
  timer_times_.emplace(token, when);
  return token;
}

void Loop::cancel(Token token) {
  auto found = timer_times_.find(token);
  if (found == timer_times_.end()) return;
  timers_.erase({found->second, token});
  timer_times_.erase(found);
}

}  // namespace amalgam::bootstrap
