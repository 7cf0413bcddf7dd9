#pragma once

// Times a plan on a cluster: every instance of every rank on the resource that it needs (α-β-γ), in the order that the
// plan allows.

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "cluster/cluster.h"
#include "plan/check.h"
#include "plan/plan.h"

namespace amalgam::plan {

struct Volume {  // what one rank does; equals the executor's counters exactly
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t folded_bytes = 0;  // bytes stored by reduce and sum
  std::uint64_t copied_bytes = 0;  // bytes stored by copy where source and destination differ
  std::uint64_t messages = 0;      // slices sent
  bool operator==(const Volume&) const = default;
};

struct Simulation {
  std::uint64_t total_ns = 0;
  std::vector<std::uint64_t> rank_ns;  // when each rank finished
  std::vector<Volume> volume;          // per rank
};

Result<Simulation> simulate(const Plan& plan, const cluster::Cluster& cluster, const CheckRequest& request);
Volume volume_of(const Plan& plan, int rank, const CheckRequest& request);  // counts only

// For people: the head, each stage in words, steps, bytes on the busiest rank, predicted time, bound and the ratio; a
// step × rank picture for ≤ 8 ranks.
std::string explain(const Plan& plan, const cluster::Cluster& cluster, const CheckRequest& request);

}  // namespace amalgam::plan
