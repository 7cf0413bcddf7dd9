#include "launch/run.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "launch/delegate.h"
#include "launch/record.h"
#include "launch/self.h"
#include "launch/staged.h"

namespace amalgam::launch {
namespace {

using comm::Communicator;
using engine::Operation;

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

Status start_call(Batch& batch, const Request& request) {
  std::uint64_t sequence = 0;
  Result<engine::StagedCall*> call = start_staged(*batch.communicator, request, &sequence);
  if (!call) return call.status();
  batch.items.push_back({nullptr, *call, enter(*batch.communicator, request, sequence, now_ns())});
  batch.track->add(*call, request.collective);
  return {};
}

Status start(Batch& batch, const Request& request) {
  Communicator& communicator = *batch.communicator;
  if (communicator.mixed() != nullptr) return start_call(batch, request);
  const auto found = communicator.plans().find(request);
  if (!found) return found.status();
  const std::uint64_t sequence = next_sequence(communicator, request);
  Operation* operation = communicator.take_operation();
  batch.items.push_back({operation, nullptr, enter(communicator, request, sequence, now_ns())});
  AMALGAM_TRY(operation->start(*found->program, request, sequence, communicator.next_serial(), communicator.context(),
                               found->fp32));
  batch.track->add(operation, request.collective);
  return {};
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

// Messages to oneself never leave the thread.
Status run_self(const Communicator& communicator, std::span<const Work> work) {
  Result<std::vector<SelfMessage>> messages = self_messages(communicator, work);
  if (!messages) return messages.status();
  for (const auto& [send, receive] : *messages)
    if (send->count != 0) std::memmove(receive->out, send->in, send->count * size_of(send->type));
  return {};
}

bool skipped(const Communicator& communicator, const Request& request) {
  if (is_pair(request.collective)) return is_self(communicator, request);
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
    for (Request& message : messages_of(item.request, item.communicator->rank(), item.communicator->ranks()))
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
  if (is_self(communicator, request)) {
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
