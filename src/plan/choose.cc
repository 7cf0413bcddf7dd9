#include "plan/choose.h"

#include <algorithm>
#include <optional>

#include "plan/cost.h"
#include "plan/families/families.h"

namespace amalgam::plan {
namespace {

constexpr std::uint32_t kSharedSlice = 64 << 10;  // within a core's cache together with its source and destination
constexpr std::uint32_t kWireSlice =
    128 << 10;  // few system calls per MiB, and still in cache when it is folded and sent on
constexpr std::uint32_t kLeastSlice = 8 << 10;    // of a pipeline
constexpr int kWindow = 4;                        // slots: one fills, one drains, two in between
constexpr std::uint64_t kMostLanding = 64 << 20;  // scratch of one operation
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 40;

struct Choice {
  const Family* family = nullptr;
  std::uint32_t slice = 0;
  std::uint64_t nanoseconds = 0;
  bool same_plan(const Choice& other) const { return family == other.family && slice == other.slice; }
};

std::uint64_t nanoseconds(const Fabric& fabric, const Terms& terms) {
  return terms.latency_ns + scale(terms.messages, fabric.overhead_ns(), 1) + terms.wire_ns +
         fabric.work_ns(terms.busiest, terms.total);
}

// Everything that stays the same while sizes are tried.
class Chooser {
 public:
  Chooser(Collective collective, const cluster::Cluster& cluster, const Limits& limits)
      : fabric_(cluster),
        collective_(collective),
        limits_(limits),
        window_(std::clamp(limits.lane_window, 1, kWindow)) {}

  bool local() const {
    return fabric_.ranks() == 1 && collective_ != Collective::kSend && collective_ != Collective::kRecv;
  }

  Choice best(std::uint64_t bytes) const {
    if (local()) return {nullptr, largest_slice(), 0};
    std::optional<Choice> winner;
    for (const Family* family : all_families()) {
      if (!family->exists(collective_) || (forced() && limits_.family != family->name)) continue;
      const Choice choice = best_of(*family, bytes);
      if (!forced() && terms_of(choice, bytes).landing > kMostLanding) continue;
      if (!winner || choice.nanoseconds < winner->nanoseconds) winner = choice;
    }
    return *winner;  // of every collective at least one family needs no landing memory
  }

  // The slice that suits one family: pipelines look for it.
  Choice best_of(const Family& family, std::uint64_t bytes) const {
    Choice best = timed({&family, largest_slice(), 0}, bytes);
    if (!family.pipelined || limits_.force_slice != 0) return best;
    for (std::uint32_t slice = kLeastSlice; slice < largest_slice(); slice *= 2) {
      const Choice choice = timed({&family, slice, 0}, bytes);
      if (choice.nanoseconds < best.nanoseconds) best = choice;
    }
    return best;
  }

  Plan plan(const Choice& choice) const {
    const Mold mold{collective_, fabric_.ranks(), choice.slice, window_, !fabric_.has_wire()};
    return choice.family == nullptr ? local_plan(mold) : choice.family->plan(mold);
  }

 private:
  // The setting applies to the collectives that have that family.
  bool forced() const {
    const auto& all = all_families();
    return std::any_of(all.begin(), all.end(),
                       [&](const Family* f) { return limits_.family == f->name && f->exists(collective_); });
  }

  std::uint32_t largest_slice() const {
    const std::uint32_t wanted = limits_.force_slice != 0 ? limits_.force_slice
                                 : fabric_.has_wire()     ? kWireSlice
                                                          : kSharedSlice;
    return std::max<std::uint32_t>(1, std::min(wanted, limits_.slice_bytes));
  }

  Terms terms_of(const Choice& choice, std::uint64_t bytes) const {
    return choice.family->terms({fabric_, collective_, bytes, choice.slice, window_});
  }

  Choice timed(Choice choice, std::uint64_t bytes) const {
    choice.nanoseconds = nanoseconds(fabric_, terms_of(choice, bytes));
    return choice;
  }

  Fabric fabric_;
  Collective collective_;
  Limits limits_;
  int window_;
};

const Family* family_named(std::string_view name, Collective collective) {
  for (const Family* family : all_families())
    if (name == family->name && family->exists(collective)) return family;
  return nullptr;
}

}  // namespace

std::uint64_t total_bytes(Collective collective, std::uint64_t count, std::uint64_t element_bytes, int ranks) {
  switch (collective) {
    case Collective::kReduceScatter:
    case Collective::kAllGather:
    case Collective::kAllToAll:
    case Collective::kGather:
    case Collective::kScatter: return count * element_bytes * static_cast<std::uint64_t>(ranks);
    default: return count * element_bytes;  // alltoallv: count is the sum of a rank's vector
  }
}

std::vector<std::string> families(Collective collective) {
  std::vector<std::string> names;
  for (const Family* family : all_families())
    if (family->exists(collective)) names.emplace_back(family->name);
  return names;
}

Result<Plan> build(std::string_view family, Collective collective, const cluster::Cluster& cluster, std::uint64_t bytes,
                   const Limits& limits) {
  if (cluster.size() < 1) return Status(Code::kInvalidArgument, "the cluster has no ranks");
  const Family* found = family_named(family, collective);
  if (found == nullptr)
    return Status(Code::kInvalidArgument,
                  "there is no family '" + std::string(family) + "' for " + std::string(name_of(collective)));
  const Chooser chooser(collective, cluster, limits);
  return chooser.plan(chooser.local() ? chooser.best(bytes) : chooser.best_of(*found, std::min(bytes, kMostBytes)));
}

std::uint64_t predict_ns(const Plan& plan, const cluster::Cluster& cluster, std::uint64_t bytes) {
  const Fabric fabric(cluster);
  const Family* family = family_named(plan.family, plan.collective);
  if (family == nullptr || cluster.size() < 2) return fabric.work_ns(bytes, bytes);  // a copy
  const Question question{fabric, plan.collective, std::min(bytes, kMostBytes), plan.slice_bytes, plan.window};
  return nanoseconds(fabric, family->terms(question));
}

Result<PlanTable> PlanTable::make(Collective collective, const cluster::Cluster& cluster, const Limits& limits) {
  if (cluster.size() < 1) return Status(Code::kInvalidArgument, "the cluster has no ranks");
  const Chooser chooser(collective, cluster, limits);
  PlanTable table;
  Choice current = chooser.best(0);
  table.from_.push_back(0);
  table.plans_.push_back(chooser.plan(current));
  for (std::uint64_t low = 0, high = 1; high <= kMostBytes; low = high, high *= 2) {
    // Between two powers of two winners may change more than once: each round finds where the current one ends.
    for (std::uint64_t from = low; !chooser.best(high).same_plan(current);) {
      std::uint64_t past = high;  // current wins at `from`, not at `past`
      while (past - from > 1) {
        const std::uint64_t middle = from + (past - from) / 2;
        (chooser.best(middle).same_plan(current) ? from : past) = middle;
      }
      current = chooser.best(past);
      table.from_.push_back(past);
      table.plans_.push_back(chooser.plan(current));
      from = past;
    }
  }
  return table;
}

int PlanTable::index(std::uint64_t bytes) const {
  const auto after = std::upper_bound(from_.begin(), from_.end(), bytes);
  return static_cast<int>(after - from_.begin()) - 1;
}

const Plan& PlanTable::find(std::uint64_t bytes) const { return plans_[static_cast<std::size_t>(index(bytes))]; }

}  // namespace amalgam::plan
