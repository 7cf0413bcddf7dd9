#include "comm/team.h"

#include <algorithm>

namespace amalgam::comm {
namespace {

int place_of(const std::vector<int>& members, int rank) {
  return static_cast<int>(std::find(members.begin(), members.end(), rank) - members.begin());
}

}  // namespace

Team::Team(const std::vector<int>& members, int rank, const cluster::Cluster& all, const plan::Limits& limits,
           bool fp32_wire, const engine::Context& whole)
    : members_(members),
      cluster_(cluster::subset(all, members)),
      plans_(cluster_, place_of(members, rank), limits, fp32_wire),
      context_(whole) {
  context_.rank = place_of(members, rank);
  context_.ranks = static_cast<int>(members.size());
  context_.members = members_.data();
}

Result<engine::Team::Program> Team::find(const Request& request) {
  Result<PlanCache::Found> found = plans_.find(request);
  if (!found) return found.status();
  return Program{found->program, found->fp32};
}

}  // namespace amalgam::comm
