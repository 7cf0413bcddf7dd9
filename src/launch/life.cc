// The life of communicators as the exported functions see it: init, split, shrink, finalize, destroy, abort, revoke.

#include <fmt/format.h>

#include <atomic>
#include <memory>

#include "launch/api.h"
#include "launch/group.h"
#include "launch/told.h"
#include "observe/log.h"

namespace amalgam::launch {
namespace {

using bootstrap::UniqueId;

// Another thread may be polling the handle that it got the address of.
void publish(Communicator** out, Communicator* communicator) {
  std::atomic_ref<Communicator*>(*out).store(communicator, std::memory_order_release);
}

// The first half of init happens at once: the handle exists, so that another thread may abort it.
Status init_later(Communicator** out, const Communicator::Membership& membership, const CommConfig& config) {
  auto* communicator = new Communicator(membership, config);
  publish(out, communicator);
  Task task;
  task.communicator = communicator;
  task.blocking = config.blocking;
  task.run = [use = std::make_shared<comm::Use>(communicator), communicator, out, blocking = config.blocking] {
    Status joined = communicator->join();
    if (!joined.ok() && blocking) {  // NCCL gives no handle for a failed blocking init
      publish(out, nullptr);
      communicator->drop_handle();
    } else if (!joined.ok()) {
      log::error("{}", joined.message());
    }
    return joined;
  };
  task.abandon = [communicator, out] {
    publish(out, nullptr);
    communicator->drop_handle();
  };
  return Group::current().add(std::move(task));
}

// A child of `parent`: the caller's handle is written when it is done.
using Maker = std::function<Result<Communicator*>()>;
Status make_later(Communicator* parent, Communicator** out, Maker make) {
  *out = nullptr;
  Task task;
  task.communicator = parent;
  task.blocking = parent->config().blocking;
  task.run = [use = std::make_shared<comm::Use>(parent), out, make = std::move(make)] {
    Result<Communicator*> made = make();
    if (!made) return made.status();
    publish(out, *made);
    return Status();
  };
  return Group::current().add(std::move(task));
}

CommConfig inherited(const Communicator& parent, const CommConfig* config) {
  if (config == nullptr) return parent.config();
  CommConfig merged = *config;
  if (!merged.blocking_set) merged.blocking = parent.config().blocking;
  return merged;
}

// May this communicator make children? Revoked ones may.
Status may_divide(const Communicator& parent) {
  Status usable = parent.usable();
  return usable.ok() || parent.state().revoked() ? Status() : usable;
}

}  // namespace

Status check(const Communicator* communicator) {
  if (communicator == nullptr)
    return Status(Code::kInvalidArgument, "the communicator is NULL: its init failed or has not been called");
  if (!communicator->alive())
    return Status(Code::kInvalidArgument,
                  "the communicator is not one of Amalgam's: destroyed, corrupted, or another library's");
  return {};
}

Status init_rank(Communicator** out, int ranks, const UniqueId& id, int rank, const CommConfig& config) {
  if (Status good = bootstrap::check_unique_id(id); !good.ok()) return told(Group::current().note(good));
  Result<comm::Stack> stack = comm::find_stack();
  if (!stack) return told(Group::current().note(stack.status()));
  return told(Group::current().note(init_later(out, {id, rank, ranks, stack.take()}, config)));
}

Status init_all(Communicator** out, int ranks, const int* devices) {
  Result<UniqueId> id = bootstrap::create_unique_id();
  if (!id) return told(id.status());
  Group& group = Group::current();
  group.start();
  for (int rank = 0; rank < ranks; ++rank) {
    Result<comm::Stack> stack = comm::find_stack(devices != nullptr ? devices[rank] : rank);
    (void)group.note(stack ? init_later(&out[rank], {*id, rank, ranks, stack.take()}, CommConfig{}) : stack.status());
  }
  return told(group.end());
}

Status split(Communicator* parent, int color, int key, Communicator** out, const CommConfig* config) {
  if (Status able = may_divide(*parent); !able.ok()) return told(Group::current().note(able));
  const CommConfig child = inherited(*parent, config);
  return told(Group::current().note(
      make_later(parent, out, [parent, color, key, child] { return comm::make_split(*parent, color, key, child); })));
}

Status shrink(Communicator* parent, std::span<const int> excluded, bool abort_parent, Communicator** out,
              const CommConfig* config) {
  if (!abort_parent && !parent->state().failed())
    if (Status able = may_divide(*parent); !able.ok()) return told(Group::current().note(able));
  if (abort_parent) parent->stop_delegate();
  if (abort_parent) parent->state().revoke();  // stops what runs on it here; its control plane stays for the survivors
  const CommConfig child = inherited(*parent, config);
  return told(Group::current().note(
      make_later(parent, out, [parent, ranks = std::vector<int>(excluded.begin(), excluded.end()), child] {
        return comm::make_shrunk(*parent, ranks, child);
      })));
}

Status finalize(Communicator* communicator) {
  comm::Use use(communicator);
  if (Status gone = use.status(); !gone.ok()) return told(gone);
  if (communicator->state().revoked())
    return told(Status(Code::kInvalidUsage, "a revoked communicator cannot be finalized; destroy it"));
  return told(communicator->finalize());
}

Status destroy(Communicator* communicator) {
  comm::Use use(communicator);  // another thread may abort it while we wait for peers
  if (Status gone = use.status(); !gone.ok()) return told(gone);
  communicator->finish();
  if (!communicator->finalized())
    (void)communicator->finalize();  // what failed before has been reported; the memory goes anyway
  communicator->finish();            // a non-blocking one's finalize runs in the background
  communicator->close();
  communicator->drop_handle();
  return {};
}

Status abort(Communicator* communicator) {
  comm::Use use(communicator);  // an init that fails because of us drops the handle
  if (Status gone = use.status(); !gone.ok()) return told(gone);
  communicator->abort(Status(Code::kAborted, fmt::format("rank {} aborted the communicator", communicator->rank())));
  communicator->drop_handle();
  return {};
}

Status revoke(Communicator* communicator) {
  if (communicator->state().revoked())
    return told(Status(Code::kInvalidArgument, "the communicator was revoked before"));
  communicator->state().revoke();
  communicator->stop_delegate();
  return communicator->state().pending() ? Status(Code::kInProgress, "") : Status();
}

Code async_error(Communicator* communicator) {
  const Code code = communicator->state().code();
  island::Island* delegate = communicator->island();
  if (delegate == nullptr || (code != Code::kOk && code != Code::kInProgress)) return code;
  const Code vendors = delegate->async_error();
  if (vendors == Code::kOk || vendors == Code::kInProgress) return code == Code::kOk ? vendors : code;
  communicator->fail(
      Status(vendors, fmt::format("{} reports an asynchronous error on rank {}: {}",
                                  communicator->delegate_library()->name(), communicator->rank(), to_string(vendors))));
  return vendors;
}

Properties properties(const Communicator* communicator) {
  return {communicator->rank(), communicator->ranks(), communicator->device(), communicator->id()};
}

}  // namespace amalgam::launch
