#include "comm/plan_cache.h"

#include "base/hash.h"

namespace amalgam::comm {
namespace {

// alltoallv's sizes differ from rank to rank, so its plan cannot depend on them: one for all sizes, made for large
// ones.
constexpr std::uint64_t kVectorBytes = 1ULL << 30;

std::uint64_t agreement(const cluster::Cluster& cluster, const plan::Plan& plan) {
  return Hash().add_integer(cluster.hash()).add_integer(plan::hash(plan)).add_integer(plan::kPlannerVersion).value();
}

}  // namespace

Result<PlanCache::Entry*> PlanCache::entry(Collective collective) {
  Entry& entry = entries_[static_cast<std::size_t>(collective)];
  if (entry.table) return &entry;
  Result<plan::PlanTable> table = plan::PlanTable::make(collective, cluster_, limits_);
  if (!table) return table.status();
  entry.table = std::make_unique<plan::PlanTable>(table.take());
  entry.programs.resize(entry.table->plans().size());
  return &entry;
}

std::uint64_t PlanCache::bytes_of(const engine::Request& request) const {
  if (request.collective == Collective::kAllToAllV) return kVectorBytes;
  return plan::total_bytes(request.collective, request.count, size_of(request.type), cluster_.size());
}

Result<const engine::Prepared*> PlanCache::find(const engine::Request& request) {
  Result<Entry*> found = entry(request.collective);
  if (!found) return found.status();
  Entry& entry = **found;
  const int index = entry.table->index(bytes_of(request));
  auto& programs = entry.programs[index];
  if (programs.empty()) programs.resize(static_cast<std::size_t>(cluster_.size()));
  std::unique_ptr<engine::Prepared>& program = programs[request.root];
  if (!program) {
    const plan::Plan& plan = entry.table->plans()[index];
    program = std::make_unique<engine::Prepared>(plan, rank_, request.root, agreement(cluster_, plan));
  }
  return program.get();
}

Result<std::uint64_t> PlanCache::predict_ns(const engine::Request& request) {
  Result<Entry*> found = entry(request.collective);
  if (!found) return found.status();
  const std::uint64_t bytes = bytes_of(request);
  return plan::predict_ns((*found)->table->find(bytes), cluster_, bytes);
}

}  // namespace amalgam::comm
