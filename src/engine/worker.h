#pragma once

// The engine's own thread: runs the stages of non-blocking communicators (config blocking = 0), whose calls return at
// once.
//
// One per process, started with the first such communicator's first operation, ended when the last user lets go.
//
// Threads    submit() and drain(): any thread      Ownership  a job's track and operations stay valid until its
// completion ran Order      jobs of one owner run one after another in the order submitted; different owners' jobs move
// together

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/drive.h"

namespace amalgam::engine {

class Worker {
 public:
  struct Job {
    const void* owner = nullptr;
    Track* track = nullptr;
    std::function<void(Status)> complete;  // on the worker; must not block
  };

  static std::shared_ptr<Worker> shared();  // shared by all communicators of the process; the last one ends the thread

  Worker();
  ~Worker();
  void submit(Job job);

 private:
  void run();
  std::vector<Job> runnable() const;  // the first job of each owner
  void move_until_changed(std::vector<Job> active, std::uint64_t seen);
  void finish(const Job& job, Status status);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Job> jobs_;
  std::atomic<std::uint64_t> submitted_{0};  // a changed value: there is a job that the running round does not know
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace amalgam::engine
