#pragma once

// The control plane of one communicator: rendezvous, an authenticated tree, gathers over it, liveness.
//
// One service thread per process (service.h) carries all groups, all listeners and all handshakes. A group is a node of
// a k-ary tree over the ranks; each edge is one authenticated TCP connection with heartbeats. A rank that dies (reset)
// or falls silent (settings silence_timeout) is reported to every survivor through the tree with its rank and cause;
// the first error wins and sticks.
//
// Threads    join/allgather/report: any thread, they wait (abortable). Callbacks run on the service thread and must not
//            block.
// Ownership  the caller owns the Group; its destructor leaves gracefully (peers do not count that as a death) and waits
//            for no peer: the service thread relays for the rest of the tree until the others have left too. It waits
//            only until the goodbye is with the kernel, so that the process may end at once. Callbacks are not called
//            after it returned. A lock that a callback takes must not be held while the Group is destroyed.

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "base/transport.h"
#include "base/types.h"
#include "bootstrap/unique_id.h"

namespace amalgam::bootstrap {

// Set once by an aborting thread; every wait of this layer polls it.
class AbortToken {
 public:
  void fire() { fired_.store(true, std::memory_order_release); }
  bool fired() const { return fired_.load(std::memory_order_acquire) || (followed_ != nullptr && followed_->fired()); }
  // From now on fires with `other` too; null: no more. By the thread that waits; `other` must live until then.
  void follow(const AbortToken* other) { followed_ = other; }

 private:
  std::atomic<bool> fired_{false};
  const AbortToken* followed_ = nullptr;
};

struct JoinOptions {
  UniqueId id;
  int rank = 0;
  int ranks = 1;
  std::chrono::milliseconds timeout{};                    // for the whole of init
  const AbortToken* abort = nullptr;                      // outlives join
  std::function<void(const Status&)> on_error;            // service thread, at most once: the communicator is broken
  std::function<std::vector<std::byte>()> flight_record;  // service thread: this rank's encoded record
};

class Group {
 public:
  virtual ~Group() = default;

  static Result<std::unique_ptr<Group>> join(JoinOptions options);

  virtual std::uint64_t id() const = 0;  // equal on all ranks, unique: hash of the unique id (never the secret itself)

  // Every rank contributes bytes and gets all of them by rank. Calls match by order. Any size up to 64 MiB in all.
  virtual Result<std::vector<std::vector<std::byte>>> allgather(ConstBytes mine, const AbortToken* abort,
                                                                std::chrono::milliseconds timeout) = 0;

  // Tells all ranks that this rank broke the communicator, or that its user aborted.
  virtual void fail(const Status& reason) = 0;

  // Asks for the ranks' flight records and returns what waits for them: by rank, empty for those that do not answer
  // within `timeout`. It needs nothing of this group, which may be destroyed first.
  using FlightRecords = std::vector<std::vector<std::byte>>;
  virtual std::function<FlightRecords()> ask_flight_records(std::chrono::milliseconds timeout) = 0;
  FlightRecords gather_flight_records(std::chrono::milliseconds timeout) { return ask_flight_records(timeout)(); }

  // An id for a new group of some of these ranks, the same on everyone who asks with the same label and leader: the
  // secret is derived from this group's, the address is the leader's listener (known from the rendezvous), and nothing
  // is exchanged, so it works while other ranks are dead. The leader must join the new group as its rank 0; the others'
  // join waits for it.
  virtual Result<UniqueId> derive_id(std::string_view label, int leader) = 0;

  virtual transport::Connector& connector() = 0;
};

}  // namespace amalgam::bootstrap
