#include "launch/group.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <thread>

#include "launch/delegate.h"
#include "launch/run.h"

namespace amalgam::launch {

Group& Group::current() {
  thread_local Group group;
  return group;
}

Status Group::note(Status status) {
  if (depth_ > 0 && error_.ok() && status.code() != Code::kInProgress) error_ = status;
  return status;
}

Status Group::add(comm::Communicator* communicator, Request request) {
  if (depth_ > 0) {
    communicator->retain();  // until the group ends: another thread may abort it meanwhile
    work_.push_back({communicator, std::move(request), nullptr});
    return {};
  }
  if (communicator->config().blocking) return run_one(*communicator, request);
  Work work{communicator, std::move(request), nullptr};
  return run(std::span(&work, 1));
}

Status Group::add(comm::Communicator* communicator, std::function<Status()> raw) {
  if (depth_ == 0) return judge(*communicator, raw());
  communicator->retain();
  work_.push_back({communicator, {}, std::move(raw)});
  return {};
}

// The handle of what cannot even begin is taken back.
Status Group::run_later(Task& task) {
  Status begun = task.communicator->run_in_background(std::move(task.run));
  if (begun.ok()) return Status(Code::kInProgress, "");
  if (task.abandon) task.abandon();
  return begun;
}

Status Group::add(Task task) {
  if (depth_ > 0) {
    tasks_.push_back(std::move(task));
    return {};
  }
  return task.blocking ? task.run() : run_later(task);
}

void Group::reset() {
  depth_ = 0;
  error_ = Status();
  for (Task& task : tasks_)
    if (task.abandon) task.abandon();
  tasks_.clear();
  release(work_);
}

void Group::release(std::vector<Work>& work) {
  for (Work& item : work) item.communicator->release();
  work.clear();
}

// Tasks of one communicator run in the order of their calls, as its peers' do; different communicators' run side by
// side.
std::vector<Task> Group::take_tasks() {
  std::vector<Task> chains;
  for (Task& task : tasks_) {
    const auto chain =
        std::find_if(chains.begin(), chains.end(), [&](const Task& c) { return c.communicator == task.communicator; });
    if (chain == chains.end()) {
      chains.push_back(std::move(task));
      continue;
    }
    chain->run = [first = std::move(chain->run), then = std::move(task.run)] {
      Status status = first();
      return status.ok() ? then() : status;
    };
  }
  tasks_.clear();
  return chains;
}

Status Group::run_tasks() {
  std::vector<Task> tasks = take_tasks();
  std::vector<Status> results(tasks.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (!tasks[i].blocking) {
      results[i] = run_later(tasks[i]);
    } else if (tasks.size() == 1) {
      results[i] = tasks[i].run();
    } else {
      try {
        threads.emplace_back([&results, &tasks, i] { results[i] = guarded(tasks[i].run); });
      } catch (const std::exception& problem) {  // the others would wait for this one
        results[i] =
            Status(Code::kSystem, fmt::format("no thread for one of {} inits: {}", tasks.size(), problem.what()));
        for (const Task& task : tasks) task.communicator->abort(results[i]);
        for (std::size_t rest = i; rest < tasks.size(); ++rest)
          if (tasks[rest].abandon) tasks[rest].abandon();
        break;
      }
    }
  }
  for (std::thread& thread : threads) thread.join();
  Status worst;
  for (Status& result : results)
    if (worst.ok() || worst.code() == Code::kInProgress)
      if (!result.ok()) worst = std::move(result);
  return worst;
}

bool Group::mixes_blocking() const {
  std::optional<bool> first;
  bool mixed = false;
  const auto look = [&](bool blocking) {
    mixed = mixed || (first && *first != blocking);
    first = blocking;
  };
  for (const Task& task : tasks_) look(task.blocking);
  for (const Work& item : work_) look(item.communicator->config().blocking);
  return mixed;
}

Status Group::end() {
  if (depth_ == 0) return Status(Code::kInvalidUsage, "ncclGroupEnd without ncclGroupStart in this thread");
  if (depth_ > 1) {
    --depth_;
    return {};
  }
  depth_ = 0;  // what runs below may make calls of its own
  if (!error_.ok()) {
    Status error = error_;
    reset();
    return error;
  }
  if (mixes_blocking()) {
    reset();
    return Status(Code::kInvalidArgument, "blocking and non-blocking communicators in one group");
  }
  Status done = run_tasks();
  if (done.ok() || done.code() == Code::kInProgress) {
    std::vector<Work> work = std::move(work_);
    Status ran = run(work);
    if (!ran.ok()) done = ran;
    release(work);
    work_ = std::move(work);  // keeps its memory for the next group
  }
  reset();
  return done;
}

Result<std::uint64_t> Group::predict_ns(const Work& item) {
  constexpr double kNanosecondsPerMicrosecond = 1000.0;
  island::Island* delegate = item.communicator->delegate();
  if (delegate == nullptr) return item.communicator->plans().predict_ns(item.request);
  if (item.raw) return std::uint64_t{0};
  Result<double> simulated = delegate->simulate(item.request);
  if (!simulated) return simulated.status();
  return static_cast<std::uint64_t>(std::max(*simulated, 0.0) * kNanosecondsPerMicrosecond);
}

Result<std::optional<std::uint64_t>> Group::simulate_end() {
  if (depth_ == 0) return Status(Code::kInvalidUsage, "ncclGroupSimulateEnd without ncclGroupStart in this thread");
  if (depth_ > 1) {
    --depth_;
    return std::optional<std::uint64_t>();
  }
  Status error = error_;
  std::vector<Work> work = std::move(work_);
  reset();
  std::uint64_t total = 0;
  for (const Work& item : work) {  // one thread runs them all: their times add up
    if (error.ok()) error = item.communicator->usable();
    if (!error.ok()) break;
    Result<std::uint64_t> predicted = predict_ns(item);
    if (predicted) total += *predicted;
    if (!predicted) error = predicted.status();
  }
  release(work);
  if (!error.ok()) return error;
  return std::optional(total);
}

}  // namespace amalgam::launch
