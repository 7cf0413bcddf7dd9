#pragma once

// The plan's three other readers: the checker proves it right, the simulator times it, the explainer shows it.

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/types.h"
#include "cluster/cluster.h"
#include "plan/plan.h"

namespace amalgam::plan {

struct CheckRequest {
  std::uint64_t count = 0;  // as NCCL's argument
  std::uint64_t element_bytes = 4;
  int root = 0;  // send, recv: the rank that runs the plan; its peer is the next rank, which runs the other half
  bool in_place = false;
};

// Proves a plan right for one request, or says what is wrong; how, and what it does not prove: docs/plan-checker.md.
// Runs the plan of all ranks on symbols instead of data: docs/plan-text.md §6, any count ≤ 2^40 (work is O(instances ×
// ranks), not O(elements)). Ok, or the first thing that is wrong: rank, stage, step, chunk, element.
Status check(const Plan& plan, const CheckRequest& request);

}  // namespace amalgam::plan
