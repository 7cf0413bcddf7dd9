#include "comm/plan_cache.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "observe/log.h"
#include "reduce/fold.h"

namespace amalgam::comm {
namespace {

// alltoallv's sizes differ from rank to rank, so its plan cannot depend on them: one for all sizes, made for large
// ones.
constexpr std::uint64_t kVectorBytes = 1ULL << 30;

std::uint64_t agreement(const cluster::Cluster& cluster, const plan::Plan& plan) {
  return Hash().add_integer(cluster.hash()).add_integer(plan::hash(plan)).add_integer(plan::kPlannerVersion).value();
}

// Whether each fold of the call may round to a narrow float.
bool rounds(const Request& request) {
  return reduces(request.collective) && reduce::narrow_float(request.type) && request.op != ReduceOp::kMin &&
         request.op != ReduceOp::kMax;
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

std::uint64_t PlanCache::bytes_of(const Request& request, std::uint64_t element_bytes) const {
  if (request.collective == Collective::kAllToAllV) return kVectorBytes;
  return plan::total_bytes(request.collective, request.count, element_bytes, cluster_.size());
}

Result<PlanCache::Place> PlanCache::place(const Request& request) {
  Result<Entry*> found = entry(request.collective);
  if (!found) return found.status();
  const std::uint64_t bytes = bytes_of(request, size_of(request.type));
  if (fp32_wire_ && cluster_.size() > 1 && rounds(request) && !(*found)->table->find(bytes).wide)
    return Place{*found, bytes_of(request, sizeof(float)), true};
  return Place{*found, bytes, false};
}

Result<PlanCache::Found> PlanCache::find(const Request& request) {
  Result<Place> at = place(request);
  if (!at) return at.status();
  Entry& entry = *at->entry;
  const int index = entry.table->index(at->bytes);
  auto& programs = entry.programs[index];
  if (programs.empty()) programs.resize(static_cast<std::size_t>(cluster_.size()));
  std::unique_ptr<engine::Prepared>& program = programs[request.root];
  if (!program) {
    const plan::Plan& plan = entry.table->plans()[index];
    program = std::make_unique<engine::Prepared>(plan, rank_, request.root, agreement(cluster_, plan));
    log::debug("rank {}: {} of {} bytes goes by {}, slices of {} bytes", rank_, name_of(request.collective), at->bytes,
               plan.family, plan.slice_bytes);
  }
  return Found{program.get(), at->fp32};
}

Result<std::uint64_t> PlanCache::predict_ns(const Request& request) {
  Result<Place> at = place(request);
  if (!at) return at.status();
  return plan::predict_ns(at->entry->table->find(at->bytes), cluster_, at->bytes);
}

std::string PlanCache::describe(Collective collective) const {
  const std::string name(name_of(collective));
  Result<plan::PlanTable> table = plan::PlanTable::make(collective, cluster_, limits_);
  if (!table) return name + ": " + table.status().message();
  std::string text = name, last;
  for (std::size_t i = 0; i < table->plans().size(); ++i) {
    const std::string& family = table->plans()[i].family;
    if (family == last) continue;  // the same with other slices
    text +=
        last.empty() ? fmt::format(" {}", family) : fmt::format(", {} from {} bytes", family, table->breakpoints()[i]);
    last = family;
  }
  return text;
}

}  // namespace amalgam::comm
