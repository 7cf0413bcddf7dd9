#include "plan/simulate.h"

#include <algorithm>

#include "plan/check_outcome.h"
#include "plan/simulate_machine.h"
#include "plan/unfold.h"

namespace amalgam::plan {
namespace {

Volume count(const Unfolded& all, const Actor& actor) {
  const Layout layout = layout_of(actor.plan().collective, all.request, all.ranks, actor.rank);
  Volume volume;
  for (std::size_t x = 0; x < actor.instances.size(); ++x) {
    const Action action = actor.plan().stages[x].action;
    for (const Instance& instance : actor.instances[x]) {
      if (instance.vacuous) continue;
      const std::uint64_t bytes = instance.elements * all.request.element_bytes;
      if (action == Action::kSend) {
        volume.sent_bytes += bytes;
        ++volume.messages;
      }
      if (receives(action)) volume.received_bytes += bytes;
      if (action == Action::kReduce || action == Action::kSum) volume.folded_bytes += bytes;
      if (action == Action::kCopy && !same_memory(actor, layout, instance)) volume.copied_bytes += bytes;
    }
  }
  return volume;
}

void add(const Volume& more, Volume* sum) {
  sum->sent_bytes += more.sent_bytes;
  sum->received_bytes += more.received_bytes;
  sum->folded_bytes += more.folded_bytes;
  sum->copied_bytes += more.copied_bytes;
  sum->messages += more.messages;
}

}  // namespace

Volume volume_of(const Plan& plan, int rank, const CheckRequest& request) {
  const Result<Unfolded> all = unfold_rank(plan, rank, request);
  return all ? count(*all, all->actors[0]) : Volume{};
}

Result<Simulation> simulate(const Plan& plan, const cluster::Cluster& cluster, const CheckRequest& request) {
  if (cluster.size() != plan.ranks)
    return Status(Code::kInvalidArgument, "the cluster has another number of ranks than the plan");
  Result<Unfolded> all = unfold(plan, request);
  if (!all) return all.status();
  Simulator simulator(*all, cluster);
  AMALGAM_TRY(simulator.run());
  Simulation result;
  result.rank_ns.resize(static_cast<std::size_t>(plan.ranks));
  result.volume.resize(static_cast<std::size_t>(plan.ranks));
  for (std::size_t a = 0; a < all->actors.size(); ++a) {
    const Actor& actor = all->actors[a];
    Time& finished = result.rank_ns[static_cast<std::size_t>(actor.rank)];
    finished = std::max(finished, simulator.finished(static_cast<int>(a)));
    result.total_ns = std::max(result.total_ns, finished);
    add(count(*all, actor), &result.volume[static_cast<std::size_t>(actor.rank)]);
  }
  return result;
}

}  // namespace amalgam::plan
