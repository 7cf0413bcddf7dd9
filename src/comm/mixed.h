#pragma once

// What a communicator over several islands has besides the engine: the size of its pieces, which all ranks agree on,
// how its calls split by islands, the teams of their exchanges, and, on a device rank, the queue of that device with
// three stages of pinned memory (collectives, sends, receives) and scratch on the device.
//
// Sends of one communicator share a stage, and so do its receives: they hold it one after another, in the order of the
// distance between the two ranks, which no two ranks see differently.
//
// Threads    take and give: any; the stages: the engine's; team(): who launches
// Ownership  memory goes back to the device's queue with the communicator, unless it failed: copies may be late

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "comm/pool.h"
#include "comm/stack.h"
#include "comm/team.h"
#include "engine/staged_call.h"

namespace amalgam::comm {

class Mixed final : public engine::Teams {
 public:
  // What all teams are made of; outlives this.
  struct World {
    int rank = 0;
    const cluster::Cluster* cluster = nullptr;
    plan::Limits limits;
    bool fp32_wire = false;
    const engine::Context* context = nullptr;
  };

  explicit Mixed(World world) : world_(std::move(world)) {}
  ~Mixed() override;

  // This rank's part of the agreement: how large a piece it can take. No limit on CPU ranks.
  Result<std::size_t> prepare(const Stack& stack, int ranks);
  void agree(std::size_t piece_bytes);  // the smallest of all ranks'
  // Islands with a library that works, and whether all know premultiplied sums.
  Status split_by(plan::Hierarchy hierarchy, bool premultiply);
  void keep_memory() { keep_ = true; }  // the communicator failed

  engine::DeviceQueue* queue() const { return queue_; }  // null on a CPU rank
  std::size_t piece_bytes() const { return piece_bytes_; }
  std::size_t slice_bytes() const;              // of an exchange
  engine::Stage* stage(Collective collective);  // null on a CPU rank
  engine::Stage* exchange_stage() { return queue_ == nullptr ? nullptr : &exchanges_; }

  // Whether a call goes by its islands. All ranks decide alike.
  bool splits(const Request& request) const;
  const plan::Hierarchy& hierarchy() const { return hierarchy_; }
  std::byte* scratch() const { return scratch_; }
  Result<engine::Team*> team(const std::vector<int>& members) override;

  engine::StagedCall* take_call();
  void give_call(engine::StagedCall* call);

 private:
  static std::size_t staging_bytes(std::size_t piece_bytes);

  World world_;
  engine::DeviceQueue* queue_ = nullptr;
  engine::DeviceQueue::Staging memory_;
  std::size_t piece_bytes_ = 0;
  engine::Stage collectives_, sends_, receives_;
  engine::Stage exchanges_;  // the memory of collectives_, in smaller slots: a communicator's collectives take turns
  plan::Hierarchy hierarchy_;
  bool premultiply_ = false;
  std::byte* scratch_ = nullptr;
  std::map<std::vector<int>, std::unique_ptr<Team>> teams_;
  bool keep_ = false;
  std::mutex mutex_;
  Pool<engine::StagedCall> calls_;
};

}  // namespace amalgam::comm
