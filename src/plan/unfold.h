#pragma once

// A plan for one request, unfolded into instances: what checker, simulator and explainer walk over. The executor does
// not use it: it must not allocate per instance, and a checker that shares its geometry with the executor would prove
// less.
//
// Contract   unfold() resolves every operand, length and peer and pairs each send with its receive, so whatever is
// wrong
//            with a single instance or with a lane (docs/plan-text.md §3, §4) is an error here, named by rank, stage,
//            step and chunk. Work and memory are O(instances).
// Threads    any; values only.

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "plan/check.h"
#include "plan/plan.h"

namespace amalgam::plan {

// One operand of one instance.
struct Span {
  int buffer = -1;          // index into the plan's buffers, -1: no operand
  std::int64_t slot = -1;   // scratch: row · W + k mod W
  std::uint64_t first = 0;  // user: first element in the buffer
  std::uint64_t count = 0;
  bool scratch() const { return slot >= 0; }
};

struct Instance {
  std::int64_t step = 0;
  std::int64_t chunk = 0;
  bool vacuous = false;
  Span to, from;
  int peer = -1;               // the other end: send, recv, reduce
  int lane = -1;               // index into Unfolded::lanes: send, recv, reduce
  std::int64_t position = -1;  // within the lane
  std::uint64_t elements = 0;  // 0 exactly when vacuous
};

// One rank's program with its instances. Send/recv plans have two actors, all other plans one for each rank.
struct Actor {
  Program program;
  int rank = 0;
  int root = 0;
  std::int64_t chunks = 1;                       // K
  std::uint64_t slice_elements = 1;              // L
  std::vector<std::vector<Instance>> instances;  // per stage, in the order in which they run
  const Plan& plan() const { return program.plan; }
};

struct Lane {
  struct End {
    int actor = -1;
    int stage = -1;
    std::vector<std::int64_t> index;  // per position: index of the instance in its stage
  };
  int sender = 0, receiver = 0, channel = 0;
  End send, receive;
};

struct Unfolded {
  CheckRequest request;
  int ranks = 1;
  std::vector<Actor> actors;
  std::vector<Lane> lanes;
};

Result<Unfolded> unfold(const Plan& plan, const CheckRequest& request);

// One rank's instances alone, lanes not paired. Send/recv plans: `rank` runs the plan, request.root is its peer.
Result<Unfolded> unfold_rank(const Plan& plan, int rank, const CheckRequest& request);

// Instances of `dependency.stage` that must be done before `instance` may start; 0: satisfied.
std::int64_t needed(const Actor& actor, const Dependency& dependency, const Instance& instance);

// The alltoallv that is checked. Uneven, some blocks empty; blocks lie in `in` in rank order with holes of one element
// around them, and in `out` backwards, so that nothing can rely on displacements that rise or on neighbours.
struct Vectors {
  const CheckRequest& request;
  int ranks;
  std::uint64_t count(int from, int to) const;      // elements that rank `from` sends to rank `to`
  std::uint64_t in_first(int from, int to) const;   // where they lie in the sender's buffer
  std::uint64_t out_first(int from, int to) const;  // where they go in the receiver's
  std::uint64_t in_size(int rank) const { return in_first(rank, ranks); }
  std::uint64_t out_size(int rank) const { return out_first(-1, rank); }
};

// "rank 3 stage rx step 2 chunk 0"
std::string describe(const Actor& actor, int stage, const Instance& instance);

bool receives(Action action);  // recv, reduce

}  // namespace amalgam::plan
