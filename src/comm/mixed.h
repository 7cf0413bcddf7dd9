#pragma once

// What a communicator over several islands has besides the engine: the size of its pieces, which all ranks agree on,
// and, on a device rank, the queue of that device with three stages of pinned memory (collectives, sends, receives).
//
// Sends of one communicator share a stage, and so do its receives: they hold it one after another, in the order of the
// distance between the two ranks, which no two ranks see differently.
//
// Threads    take and give: any; the stages: the engine's
// Ownership  pinned memory goes back to the device's queue with the communicator, unless it failed: copies may be late

#include <mutex>

#include "comm/pool.h"
#include "comm/stack.h"
#include "engine/staged_call.h"

namespace amalgam::comm {

class Mixed {
 public:
  ~Mixed();

  // This rank's part of the agreement: how large a piece it can take. No limit on CPU ranks.
  Result<std::size_t> prepare(const Stack& stack, int ranks);
  void agree(std::size_t piece_bytes);  // the smallest of all ranks'
  void keep_memory() { keep_ = true; }  // the communicator failed

  engine::DeviceQueue* queue() const { return queue_; }  // null on a CPU rank
  std::size_t piece_bytes() const { return piece_bytes_; }
  engine::Stage* stage(Collective collective);  // null on a CPU rank

  engine::StagedCall* take_call();
  void give_call(engine::StagedCall* call);

 private:
  static std::size_t staging_bytes(std::size_t piece_bytes);

  engine::DeviceQueue* queue_ = nullptr;
  engine::DeviceQueue::Staging memory_;
  std::size_t piece_bytes_ = 0;
  engine::Stage collectives_, sends_, receives_;
  bool keep_ = false;
  std::mutex mutex_;
  Pool<engine::StagedCall> calls_;
};

}  // namespace amalgam::comm
