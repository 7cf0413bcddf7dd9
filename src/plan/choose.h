#pragma once

// From (cluster, collective, size) to a plan: each family's cost by its formula over α (latency), β (bytes) and γ
// (folding), the cheapest one wins; the result per collective is a table of breakpoints, looked up per call in
// nanoseconds. Integers only: equal on all ranks by construction.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/types.h"
#include "cluster/cluster.h"
#include "plan/plan.h"

namespace amalgam::plan {

// What limits the transports of this communicator: agreed, like everything that enters a plan.
struct Limits {
  std::uint32_t slice_bytes = 131072;  // largest slice that every lane takes
  int lane_window = 8;                 // slices that every lane holds (smallest of the transports in use)
  std::string family;                  // forced family, or empty
  std::uint32_t force_slice = 0;       // forced slice, or 0
};

// Bytes that a collective is measured by: allreduce, reduce, broadcast, send, recv: count·size; allgather,
// reducescatter, alltoall, gather, scatter: ranks·count·size.
std::uint64_t total_bytes(Collective collective, std::uint64_t count, std::uint64_t element_bytes, int ranks);

std::vector<std::string> families(Collective collective);  // families that exist for it

// Builds one family's plan; InvalidArgument when it does not exist for the collective.
Result<Plan> build(std::string_view family, Collective collective, const cluster::Cluster& cluster, std::uint64_t bytes,
                   const Limits& limits);

// Predicted nanoseconds of `plan` at `bytes` by the family's formula.
std::uint64_t predict_ns(const Plan& plan, const cluster::Cluster& cluster, std::uint64_t bytes);

// Lower bound in nanoseconds for any plan: over domains' rails, and over memory inside a domain.
std::uint64_t bound_ns(Collective collective, const cluster::Cluster& cluster, std::uint64_t bytes);

// All plans of one collective by size. find() is a search over a few breakpoints.
class PlanTable {
 public:
  static Result<PlanTable> make(Collective collective, const cluster::Cluster& cluster, const Limits& limits);
  const Plan& find(std::uint64_t bytes) const;
  int index(std::uint64_t bytes) const;  // position of find()'s plan in plans()
  const std::vector<Plan>& plans() const { return plans_; }
  const std::vector<std::uint64_t>& breakpoints() const { return from_; }  // plan i serves [from i, from i+1)

 private:
  std::vector<std::uint64_t> from_;
  std::vector<Plan> plans_;
};

}  // namespace amalgam::plan
