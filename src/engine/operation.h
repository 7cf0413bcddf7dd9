#pragma once

// One running program: the executor. It interprets the plan's stages on real memory and lanes; there is no other data
// path.
//
// State is one rising counter per stage. progress() advances every stage as far as its dependencies and lanes allow and
// returns, so one thread can run any number of operations. After the first operations of a kind nothing is allocated.
//
// Threads    one at a time           Ownership  program, request buffers and context outlive the run
// Errors     the first one ends the operation; its text names the peer and both sides' values

#include <cstdint>
#include <vector>

#include "base/request.h"
#include "base/status.h"
#include "engine/carrier.h"
#include "engine/counters.h"
#include "engine/kept_memory.h"
#include "engine/lanes.h"
#include "engine/layout.h"
#include "engine/prepared.h"
#include "reduce/fold.h"

namespace amalgam::engine {

// What the operations of one communicator, or of one team of its ranks, share on one rank.
struct Context {
  int rank = 0;
  int ranks = 1;
  int summands = 1;              // what an average divides by: the ranks of the communicator
  const int* members = nullptr;  // a team's, as ranks of the communicator; null: all ranks

  int peer(int rank) const { return members != nullptr ? members[rank] : rank; }

  std::uint32_t communicator_tag = 0;
  Lanes* lanes = nullptr;
  Counters* counters = nullptr;
};

enum class Progress : std::uint8_t { kIdle, kMoved, kDone };

// What a track runs: an operation, or a call that is several of them.
class Runnable {
 public:
  virtual ~Runnable() = default;
  virtual Result<Progress> progress() = 0;
  virtual const Request& request() const = 0;
};

class Operation final : public Runnable {
 public:
  Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  // `fp32`: the call's narrow floats are carried in fp32; then `prepared` is the plan for that many bytes.
  Status start(const Prepared& prepared, const Request& request, std::uint64_t sequence, std::uint64_t serial,
               Context& context, bool fp32 = false);
  Result<Progress> progress() override;

  const Request& request() const override { return request_; }  // as it runs
  std::uint64_t sequence() const { return sequence_; }

 private:
  struct Pending {             // a slice sent by reference: done when its lane has completed `target` slices
    SendSlot* slot = nullptr;  // null: nothing to wait for (keeps a stage's order)
    std::uint64_t target = 0;
  };
  struct Instance {
    Resolved what;
    std::uint64_t chunk = 0;
    plan::Range range;                               // of `to`, or of `from` for a send
    std::uint64_t to_element = 0, from_element = 0;  // where they begin in the user's buffers
    bool vacuous = false;                            // nothing to do, whatever it depends on
  };
  struct StageRun {
    std::int64_t first = 0;  // step of index 0
    std::uint64_t steps = 0;
    std::uint64_t total = 0;  // instances
    std::uint64_t started = 0;
    std::uint64_t done = 0;  // what dependencies look at
    std::uint64_t step = 0;  // of instance `started`, from 0
    std::uint64_t chunk = 0;
    bool held = false;       // `at` is instance `started`, tried before, or the same of an equal operation
    bool held_once = false;  // `at` was worked out since the operation was bound
    bool may_start = false;  // what instance `started` depends on is done
    Instance at;
    const transport::ReceiveLane* waits_on = nullptr;  // whose next slice was not there yet
    bool reserved = false;                             // the current send's slot is filled and waits for commit
    std::vector<Pending> pending;                      // instances done … started-1, a ring of kPending
  };
  struct View {
    const std::byte* data = nullptr;
    transport::ReceiveLane* lane = nullptr;
  };
  static constexpr std::uint64_t kPending = 64;
  // Below this a copy is cheaper than waiting for the peer to have read the bytes in place.
  static constexpr std::uint64_t kReferenceFrom = 4096;

  bool repeats(const Prepared& prepared, const Request& request, DataType called) const;
  Status bind();
  Status bind_scratch();
  bool sends_scratch() const;
  Result<bool> advance(int index);
  void hold(int index, StageRun& run) const;
  bool ready(int index, const StageRun& run) const;
  bool satisfied(const plan::Dependency& dependency, int index, int number, const StageRun& run) const;
  void next(StageRun& run) const;
  Result<bool> reap(StageRun& run);

  Result<bool> act(StageRun& run, const plan::Stage& stage);
  Result<bool> act_send(StageRun& run, const plan::Stage& stage);
  Result<bool> act_recv(StageRun& run, const plan::Stage& stage);
  Result<bool> act_reduce(StageRun& run, const plan::Stage& stage);
  void act_sum(const Instance& at, const plan::Stage& stage);
  void act_copy(const Instance& at, const plan::Stage& stage);

  int channel(const plan::Stage& stage) const;
  transport::SliceTag tag(std::uint32_t position, std::uint64_t bytes) const;
  plan::Range slice(const plan::Operand& operand, std::int64_t part, std::uint64_t chunk) const;
  std::byte* address(const plan::Operand& operand, std::int64_t part, std::uint64_t chunk, std::uint64_t element) const;
  std::byte* to(const Instance& at, const plan::Stage& stage) const {
    return address(stage.to, at.what.to, at.chunk, at.to_element);
  }
  std::byte* from(const Instance& at, const plan::Stage& stage) const {
    return address(stage.from, at.what.from, at.chunk, at.from_element);
  }
  bool prescaled(const plan::Operand& operand) const;
  std::uint64_t row_slot(std::int64_t row, std::uint64_t chunk) const;

  const Prepared* prepared_ = nullptr;
  const plan::Plan* plan_ = nullptr;
  Context* context_ = nullptr;
  Request request_;
  DataType called_{};     // the caller's type, which request_ has too unless it is carried
  bool carried_ = false;  // in fp32, by carrier_
  Carrier carrier_;
  Layout layout_;
  reduce::Reduction reduction_;
  std::uint64_t sequence_ = 0;
  std::uint64_t serial_ = 0;  // unique per started operation of the context; owns positions on lanes
  std::uint32_t tag_plan_ = 0;
  bool pre_ = false;
  bool pair_ = false;           // send or recv
  bool empty_message_ = false;  // a 0-byte send or recv still crosses, so that the two sides are matched
  std::size_t unfinished_ = 0;
  std::uint64_t turn_elements_ = 0;  // what a stage moves before the others have their turn
  std::vector<StageRun> runs_;
  std::vector<std::vector<View>> views_;  // per buffer: landing slots
  std::vector<std::byte*> scratch_;       // per buffer: other scratch
  KeptMemory memory_;                     // behind scratch_
  KeptSharedMemory shared_;               // the same, where peers read it
  std::vector<const void*> operands_;     // of one sum
};

}  // namespace amalgam::engine
