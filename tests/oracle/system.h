#pragma once

// All ranks of one call as a set of processes: each (rank, stage) is one, and does its instances in their order.
// Everything that does not depend on the interleaving is worked out here: order, operands' addresses, dependencies as
// counts, lanes (docs/plan-text.md §4). What is wrong whatever the interleaving is found here too.
//
// Immutable after make_system; no threads.

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "oracle/layout.h"
#include "oracle/parse.h"

namespace oracle {

// `process` must have done at least `done` instances.
struct Condition {
  int process = 0;
  std::int64_t done = 0;
};

struct Instance {
  Action action = Action::kCopy;
  std::int64_t step = 0, chunk = 0;
  bool vacuous = false;
  bool idle = false;  // a copy of memory onto itself that changes nothing
  bool finish = false;
  bool pre_scale = false;  // reads A through `in` of a reducing collective
  std::int64_t length = 0;
  Range to, from;           // length 0: none
  std::vector<Range> rows;  // sum: of rank 0 … N−1; the own one is A
  int lane = -1;
  std::vector<Condition> after;
};

struct Process {
  int rank = 0, stage = 0;
  std::vector<Instance> instances;
};

struct Lane {
  int sender_rank = 0, receiver_rank = 0, channel = 0;
  int sender = -1, receiver = -1;  // processes
};

// One rank's view: a plan of its own for send and recv, the same for all otherwise. plan −1: the rank has nothing to
// do.
struct Role {
  const Plan* plan = nullptr;
  int root = 0;
};

struct System {
  std::deque<Layout> layouts;    // per rank
  std::vector<bool> takes_part;  // per rank
  std::vector<Process> processes;
  std::vector<Lane> lanes;
  bool reducing = false;
  bool same_everywhere = false;  // all ranks must get results of the same making
  bool wide = false;
  std::string error;  // not empty: wrong, and the rest is incomplete

  std::string describe(const Process& process, const Instance& instance) const;
  std::vector<std::string> stage_names;  // per process
};

System make_system(const std::vector<Role>& roles, const Request& request);

}  // namespace oracle
