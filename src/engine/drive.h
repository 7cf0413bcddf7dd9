#pragma once

// Runs operations to their end on the calling thread: the loop around Operation::progress().
//
// A Track is what one communicator brings into a group: at most one running collective (its collectives come in issue
// order) beside its sends and receives, which all move at once, first come first served per peer and direction. Tracks
// of all communicators that the thread drives move together, so no order of calls inside a group can stop them.

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/operation.h"
#include "engine/waiter.h"

namespace amalgam::engine {

// Why a drive must stop early, raised from other threads: an abort, a revoke or a dead peer.
class StopSignal {
 public:
  virtual ~StopSignal() = default;
  virtual bool raised() const = 0;    // one atomic load
  virtual Status reason() const = 0;  // only when raised
};

class Track {
 public:
  Track(const StopSignal& stop, Bed bed, WaitPolicy policy) : stop_(stop), bed_(bed), policy_(policy) {}
  virtual ~Track() = default;
  Track(const Track&) = delete;
  Track& operator=(const Track&) = delete;

  // With the collectives or with the messages, as `collective` is.
  void add(Runnable* operation, Collective collective) {
    if (is_pair(collective)) {
      pairs_.push_back({operation, false});
    } else {
      collectives_.push_back(operation);
    }
  }
  void clear();

  // One round. kDone when all of it has finished. On an error the track is finished with it.
  virtual Result<Progress> progress();

  bool empty() const { return collectives_.empty() && pairs_.empty(); }
  const Bed& bed() const { return bed_; }
  const WaitPolicy& policy() const { return policy_; }

 protected:
  const StopSignal& stop() const { return stop_; }

 private:
  struct Pair {
    Runnable* operation;
    bool finished;
  };
  bool waits_its_turn(std::size_t index) const;
  Result<bool> progress_pairs(bool* moved);

  const StopSignal& stop_;
  Bed bed_;
  WaitPolicy policy_;
  std::vector<Runnable*> collectives_;
  std::size_t current_ = 0;
  std::vector<Pair> pairs_;
  std::size_t first_pair_ = 0;  // all before it are finished
};

// Until all tracks are done. A track that fails does not stop the others; statuses[i] is track i's result, and `failed`
// hears of it at once: the others may wait for what it leaves undone.
void drive(std::span<Track* const> tracks, std::span<Status> statuses,
           const std::function<void(std::size_t track)>& failed = nullptr);

}  // namespace amalgam::engine
