#include "launch/run.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "launch/delegate.h"
#include "launch/staged.h"
#include "observe/log.h"

namespace amalgam::launch {
namespace {

using comm::Communicator;
using engine::Operation;

// Coarse: a flight record is read by people after seconds, and the call must stay in the nanoseconds.
std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

// The operations of one communicator in one run, and their places in the flight record.
struct Batch {
  Communicator* communicator = nullptr;
  engine::Track* track = nullptr;
  std::unique_ptr<engine::Track> own_track;  // non-blocking: lives until the worker finished it
  struct Item {
    Operation* operation;
    engine::StagedCall* call;  // instead, among several islands
    std::uint64_t ticket;
  };
  std::vector<Item> items;
};

std::uint64_t enter(Communicator& communicator, const Request& request, std::uint64_t sequence) {
  return communicator.flight().enter(
      {sequence, request.collective, request.type, request.op, request.root, request.count, now_ns(), 0});
}

void add(engine::Track& track, const Request& request, engine::Runnable* runnable) {
  if (is_pair(request.collective)) {
    track.add_pair(runnable);
  } else {
    track.add_collective(runnable);
  }
}

Status start_call(Batch& batch, const Request& request) {
  std::uint64_t sequence = 0;
  Result<engine::StagedCall*> call = start_staged(*batch.communicator, request, &sequence);
  if (!call) return call.status();
  batch.items.push_back({nullptr, *call, enter(*batch.communicator, request, sequence)});
  add(*batch.track, request, *call);
  return {};
}

Status start(Batch& batch, const Request& request) {
  Communicator& communicator = *batch.communicator;
  if (communicator.mixed() != nullptr) return start_call(batch, request);
  const auto found = communicator.plans().find(request);
  if (!found) return found.status();
  const std::uint64_t sequence = is_pair(request.collective) ? communicator.next_pair(request.collective, request.root)
                                                             : communicator.next_collective();
  Operation* operation = communicator.take_operation();
  batch.items.push_back({operation, nullptr, enter(communicator, request, sequence)});
  AMALGAM_TRY(operation->start(*found->program, request, sequence, communicator.next_serial(), communicator.context(),
                               found->fp32));
  add(*batch.track, request, operation);
  return {};
}

// A failure of ours, to the other ranks.
void announce(Communicator& communicator, const Status& status) {
  if (status.ok() || communicator.state().raised()) return;
  log::error("rank {}: {}", communicator.rank(), status.message());
  communicator.fail(status);
}

// Completes or abandons a batch.
Status finish(Batch& batch, const Status& status) {
  Communicator& communicator = *batch.communicator;
  announce(communicator, status);
  if (!status.ok()) communicator.report_failure(status);
  const std::int64_t now = now_ns();
  for (const Batch::Item& item : batch.items) {
    if (status.ok()) communicator.flight().complete(item.ticket, now);
    if (item.call != nullptr) {
      communicator.mixed()->give_call(item.call);
    } else {
      communicator.give_back(item.operation);
    }
  }
  batch.items.clear();
  batch.track->clear();
  return status;
}

// Sends to oneself meet receives from oneself in order, inside one group, without leaving the thread.
Status run_self(Communicator& communicator, std::span<const Work> work) {
  std::vector<const Request*> sends, receives;
  for (const Work& item : work) {
    if (item.communicator != &communicator || !is_pair(item.request.collective) ||
        item.request.root != communicator.rank())
      continue;
    (item.request.collective == Collective::kSend ? sends : receives).push_back(&item.request);
  }
  if (sends.size() != receives.size())
    return Status(
        Code::kInvalidUsage,
        fmt::format("a group has {} sends to and {} receives from the own rank {}: each needs its other half in "
                    "the same group",
                    sends.size(), receives.size(), communicator.rank()));
  for (std::size_t i = 0; i < sends.size(); ++i) {
    const std::uint64_t bytes = sends[i]->count * size_of(sends[i]->type);
    if (bytes != receives[i]->count * size_of(receives[i]->type))
      return Status(Code::kInvalidArgument, fmt::format("message {} to the own rank has {} bytes, its receive {}", i,
                                                        bytes, receives[i]->count * size_of(receives[i]->type)));
    if (bytes != 0) std::memmove(receives[i]->out, sends[i]->in, bytes);
  }
  return {};
}

bool skipped(const Communicator& communicator, const Request& request) {
  if (is_pair(request.collective)) return request.root == communicator.rank();
  return request.count == 0 && request.collective != Collective::kAllToAllV;
}

Status fill(Batch& batch, std::span<const Work> work) {
  for (const Work& item : work) {
    if (item.communicator != batch.communicator || skipped(*item.communicator, item.request)) continue;
    AMALGAM_TRY(start(batch, item.request));
  }
  return {};
}

void submit(std::unique_ptr<Batch> batch) {
  Communicator* communicator = batch->communicator;
  communicator->state().begin();  // keeps the communicator until state().end(): finish() waits for it
  engine::Track* track = batch->track;
  // std::function wants a copyable callable: the batch is released into it and deleted at completion, which always
  // comes.
  communicator->worker()->submit({communicator, track, [communicator, raw = batch.release()](const Status& status) {
                                    std::unique_ptr<Batch> owned(raw);
                                    (void)finish(*owned, status);
                                    owned.reset();
                                    communicator->state().end();
                                  }});
}

Status check_blocking(const std::vector<Communicator*>& communicators) {
  for (const Communicator* communicator : communicators)
    if (communicator->config().blocking != communicators.front()->config().blocking)
      return Status(Code::kInvalidArgument, "blocking and non-blocking communicators in one group");
  return {};
}

Status run_blocking(const std::vector<Communicator*>& communicators, std::span<const Work> work) {
  std::vector<Batch> batches;
  std::vector<engine::Track*> tracks;
  Status first;
  for (Communicator* communicator : communicators) {
    Batch& batch = batches.emplace_back();
    batch.communicator = communicator;
    batch.track = &communicator->track();
    Status filled = fill(batch, work);
    if (!filled.ok() && first.ok()) first = filled;
  }
  if (!first.ok()) {
    for (Batch& batch : batches) (void)finish(batch, first);
    return first;
  }
  tracks.reserve(batches.size());
  for (Batch& batch : batches) tracks.push_back(batch.track);
  std::vector<Status> statuses(batches.size());
  engine::drive(tracks, statuses, [&](std::size_t i) { announce(*batches[i].communicator, statuses[i]); });
  for (std::size_t i = 0; i < batches.size(); ++i) {
    Status status = finish(batches[i], statuses[i]);
    if (first.ok()) first = status;
  }
  return first;
}

Status run_nonblocking(const std::vector<Communicator*>& communicators, std::span<const Work> work) {
  bool submitted = false;
  for (Communicator* communicator : communicators) {
    auto batch = std::make_unique<Batch>();
    batch->communicator = communicator;
    batch->own_track = communicator->make_track();
    batch->track = batch->own_track.get();
    if (Status filled = fill(*batch, work); !filled.ok()) return finish(*batch, filled);
    if (batch->items.empty()) continue;
    submit(std::move(batch));
    submitted = true;
  }
  return submitted ? Status(Code::kInProgress, "") : Status();
}

bool on_device(const Communicator* communicator) {
  return communicator->mixed() != nullptr && communicator->mixed()->queue() != nullptr;
}

// Among several islands an alltoallv is its messages.
bool is_several(const Work& item) {
  return item.communicator->mixed() != nullptr && item.request.collective == Collective::kAllToAllV;
}

std::vector<Work> expand_all(std::span<const Work> work) {
  std::vector<Work> single;
  for (const Work& item : work) {
    if (!is_several(item)) {
      single.push_back(item);
      continue;
    }
    for (Request& message : expand(*item.communicator, item.request))
      single.push_back({item.communicator, std::move(message), nullptr});
  }
  return single;
}

}  // namespace

Status run(std::span<Work> work) {
  if (std::any_of(work.begin(), work.end(), is_several)) {
    std::vector<Work> single = expand_all(work);
    return run(single);
  }
  std::vector<Communicator*> communicators;
  for (const Work& item : work)
    if (std::find(communicators.begin(), communicators.end(), item.communicator) == communicators.end())
      communicators.push_back(item.communicator);
  if (communicators.empty()) return {};
  AMALGAM_TRY(check_blocking(communicators));
  for (Communicator* communicator : communicators) AMALGAM_TRY(communicator->usable());
  const bool blocking = communicators.front()->config().blocking;
  const auto delegated = [](const Communicator* communicator) { return communicator->delegate() != nullptr; };
  Status issued;
  if (std::any_of(communicators.begin(), communicators.end(), delegated)) {
    issued = issue_group(work);
    if (!issued.ok() && issued.code() != Code::kInProgress) return issued;
    std::erase_if(communicators, delegated);
    if (communicators.empty()) return issued;
  }
  if (std::any_of(communicators.begin(), communicators.end(), on_device)) {
    const auto first = std::stable_partition(communicators.begin(), communicators.end(), on_device);
    AMALGAM_TRY(run_on_devices(std::span(communicators.begin(), first), work));
    communicators.erase(communicators.begin(), first);
    if (communicators.empty()) return issued;
  }
  for (Communicator* communicator : communicators) AMALGAM_TRY(run_self(*communicator, work));
  Status done = blocking ? run_blocking(communicators, work) : run_nonblocking(communicators, work);
  return done.ok() ? std::move(issued) : std::move(done);
}

Status run_one(Communicator& communicator, const Request& request) {
  if (communicator.delegate() != nullptr) return issue(communicator, request);
  if (communicator.mixed() != nullptr) {
    Work work{&communicator, request, nullptr};
    return run(std::span(&work, 1));
  }
  if (is_pair(request.collective) && request.root == communicator.rank()) {
    const Work work{&communicator, request, nullptr};
    return run_self(communicator, std::span(&work, 1));  // explains what is missing
  }
  if (skipped(communicator, request)) return {};
  thread_local Batch batch;  // keeps its memory
  batch.communicator = &communicator;
  batch.track = &communicator.track();
  Status status = start(batch, request);
  if (status.ok()) {
    engine::Track* track = batch.track;
    engine::drive(std::span(&track, 1), std::span(&status, 1));
  }
  return finish(batch, status);
}

}  // namespace amalgam::launch
