#pragma once

// The calling thread's group: NCCL's semantics. Calls between the outermost start and end are collected and run
// together at the end, whatever their order and whichever communicators they belong to; the first error sticks and is
// the end's result; then the group is empty again. A call outside a group is a group of one.

#include <functional>
#include <optional>
#include <vector>

#include "base/request.h"
#include "base/status.h"
#include "comm/communicator.h"

namespace amalgam::launch {

struct Work {
  comm::Communicator* communicator = nullptr;
  Request request;
  std::function<Status()> raw;  // instead of the request: what only a vendor's library has
};

// Init, split, … inside a group: they must all move together, since one thread may drive several ranks.
struct Task {
  comm::Communicator* communicator = nullptr;  // whose call it is
  bool blocking = true;
  std::function<Status()> run;
  std::function<void()> abandon;  // instead of run, when the group fails first; may be empty
};

class Group {
 public:
  static Group& current();  // of this thread

  bool open() const { return depth_ > 0; }
  void start() { ++depth_; }
  Status end();  // outermost: runs everything
  // Outermost: predicted nanoseconds, and drops everything. Nested: nothing yet.
  Result<std::optional<std::uint64_t>> simulate_end();

  // Runs now outside a group, else at its end.
  Status add(comm::Communicator* communicator, Request request);
  Status add(comm::Communicator* communicator, std::function<Status()> raw);
  Status add(Task task);
  Status note(Status status);  // remembers a failed call inside the group; returns it

 private:
  std::vector<Task> take_tasks();
  Status run_tasks();
  static Status run_later(Task& task);
  bool mixes_blocking() const;
  void reset();
  static void release(std::vector<Work>& work);
  static Result<std::uint64_t> predict_ns(const Work& item);

  int depth_ = 0;
  Status error_;
  std::vector<Work> work_;
  std::vector<Task> tasks_;
};

}  // namespace amalgam::launch
