#include "engine/worker.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>

namespace amalgam::engine {

std::shared_ptr<Worker> Worker::shared() {
  static std::mutex* mutex = new std::mutex;  // never destroyed: calls may come from static destructors
  static std::weak_ptr<Worker>* current = new std::weak_ptr<Worker>;
  std::lock_guard lock(*mutex);
  std::shared_ptr<Worker> worker = current->lock();
  if (!worker) *current = worker = std::make_shared<Worker>();
  return worker;
}

Worker::Worker() {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);  // the application's signals are not ours to receive
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Worker::~Worker() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Worker::submit(Job job) {
  {
    std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    submitted_.fetch_add(1, std::memory_order_relaxed);
  }
  wake_.notify_all();
}

std::vector<Worker::Job> Worker::runnable() const {
  std::vector<Job> first;
  for (const Job& job : jobs_) {
    const bool owner_busy = std::any_of(first.begin(), first.end(), [&](const Job& f) { return f.owner == job.owner; });
    if (!owner_busy) first.push_back(job);
  }
  return first;
}

void Worker::run() {
  pthread_setname_np(pthread_self(), "amalgam-engine");
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return stop_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    std::vector<Job> active = runnable();
    const std::uint64_t seen = submitted_.load(std::memory_order_relaxed);
    lock.unlock();
    move_until_changed(std::move(active), seen);
    lock.lock();
  }
}

// Progresses the active jobs until one of them finishes or another is submitted.
void Worker::move_until_changed(std::vector<Job> active, std::uint64_t seen) {
  Waiter waiter(active.front().track->policy());
  std::size_t watched = 0;
  while (submitted_.load(std::memory_order_relaxed) == seen) {
    bool moved = false;
    for (std::size_t i = 0; i < active.size(); ++i) {
      Result<Progress> progress = active[i].track->progress();
      if (progress && *progress == Progress::kIdle) {
        if (active[i].track->bed().polled || !active[watched].track->bed().polled) watched = i;
        continue;
      }
      moved = true;
      if (progress && *progress == Progress::kMoved) continue;
      return finish(active[i], progress ? Status() : progress.status());
    }
    if (moved) {
      waiter.moved();
    } else {
      waiter.idle(active[watched].track->bed());
    }
  }
}

void Worker::finish(const Job& job, Status status) {
  {
    std::lock_guard lock(mutex_);
    jobs_.erase(std::find_if(jobs_.begin(), jobs_.end(), [&](const Job& j) { return j.track == job.track; }));
  }
  job.complete(std::move(status));  // last: it may free the track
}

}  // namespace amalgam::engine
