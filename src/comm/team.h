#pragma once

// Ranks of a communicator that exchange among themselves, with plans of their own for the cluster that they are.
//
// Threads    one at a time (who runs the communicator's operations)

#include <vector>

#include "cluster/cluster.h"
#include "comm/plan_cache.h"
#include "engine/team.h"

namespace amalgam::comm {

class Team final : public engine::Team {
 public:
  // `all`: of the whole communicator. `rank`: this one, a member.
  Team(const std::vector<int>& members, int rank, const cluster::Cluster& all, const plan::Limits& limits,
       bool fp32_wire, const engine::Context& whole);

  engine::Context& context() override { return context_; }
  Result<Program> find(const Request& request) override;

 private:
  std::vector<int> members_;
  cluster::Cluster cluster_;
  PlanCache plans_;
  engine::Context context_;
};

}  // namespace amalgam::comm
