#include "plan/check.h"

#include <fmt/format.h>

#include "plan/check_machine.h"
#include "plan/unfold.h"

namespace amalgam::plan {

// The own program's order was not enough: ask what all ranks' programs together order.
Status Machine::races() {
  for (std::size_t a = 0; a < ranks_.size(); ++a) {
    const auto& doubts = ranks_[a].doubts;
    if (doubts.empty()) continue;
    History history(all_, static_cast<int>(a), History::Reach::kAll);
    std::size_t next = 0;
    for (const Event& event : trace_) {
      history.run(event);
      if (event.actor != static_cast<int>(a)) continue;
      for (; next < doubts.size() && doubts[next].second == event.at; ++next) {
        const auto& [earlier, later] = doubts[next];
        if (history.over(earlier)) continue;
        const Actor& actor = all_.actors[a];
        const auto at = [&](const Access& access) -> const Instance& {
          return actor.instances[static_cast<std::size_t>(access.stage)][static_cast<std::size_t>(access.index)];
        };
        return Status(Code::kInternal, fmt::format("{}: touches memory that {} may still be using",
                                                   describe(actor, later.stage, at(later)),
                                                   describe(actor, earlier.stage, at(earlier))));
      }
    }
  }
  return {};
}

// All programs came to their end, or the first instance that waits for ever.
Status Machine::stuck() const {
  for (std::size_t a = 0; a < ranks_.size(); ++a) {
    const Actor& actor = all_.actors[a];
    for (std::size_t x = 0; x < actor.instances.size(); ++x) {
      const std::int64_t index = ranks_[a].done[x];
      if (index == static_cast<std::int64_t>(actor.instances[x].size())) continue;
      const Now now{static_cast<int>(a),
                    static_cast<int>(x),
                    actor,
                    actor.plan().stages[x],
                    actor.instances[x][static_cast<std::size_t>(index)],
                    {static_cast<int>(x), index}};
      for (const Dependency& dependency : now.what.after)
        if (ranks_[a].done[static_cast<std::size_t>(dependency.stage)] < needed(actor, dependency, now.instance))
          return wrong(
              now, "waits for ever for stage " + actor.plan().stages[static_cast<std::size_t>(dependency.stage)].name);
      if (now.what.action == Action::kSend)
        return wrong(now, fmt::format("waits for ever for room in its lane to rank {} ({} credits)", now.instance.peer,
                                      actor.plan().credits));
      return wrong(now, fmt::format("waits for ever for a slice from rank {}", now.instance.peer));
    }
  }
  return {};
}

Status Machine::compare(int which, const Expected& expected, const Content& holds) {
  const Actor& actor = all_.actors[static_cast<std::size_t>(which)];
  std::uint64_t at = expected.first, origin = expected.origin;
  for (const Segment& run : holds) {
    const bool right =
        expected.source == Expected::kReduced ? values_.is_result(run.node) : run.node == values_.leaf(expected.source);
    std::string problem;
    if (!right && expected.source == Expected::kReduced)
      problem = values_.why_not(run.node);
    else if (!right)
      problem = run.node == Values::kGarbage ? "was never written"
                                             : fmt::format("is not rank {}'s element {}", expected.source, origin);
    else if (run.origin != origin)
      problem = fmt::format("holds element {} where {} belongs", run.origin, origin);
    else if (actor.plan().wide && values_.folds(run.node) > 1)
      problem = "was folded hop by hop, but the plan says wide";
    if (!problem.empty())
      return Status(Code::kInternal, fmt::format("rank {} element {} of the result {}", actor.rank, at, problem));
    at += run.count;
    origin += run.count;
  }
  return {};
}

// A reduced element must have come about in the same way on all ranks, or its bits differ.
Status Machine::same_association() {
  const std::uint64_t count = all_.request.count;
  const auto result = [&](std::size_t a) {
    const Layout& at = ranks_[a].layout;
    return ranks_[a].user[at.shared ? 0 : 1].look(at.out_offset, count);
  };
  const Content first = result(0);
  for (std::size_t a = 1; a < ranks_.size(); ++a) {
    std::uint64_t at = 0, wrong = count;
    zip(first, result(a), [&](const Segment& x, const Segment& y) {
      if (x.node != y.node && wrong == count) wrong = at;
      at += x.count;
      return x;
    });
    if (wrong != count)
      return Status(Code::kInternal,
                    fmt::format("rank {} element {} of the result was folded in another order than on rank {}",
                                all_.actors[a].rank, wrong, all_.actors[0].rank));
  }
  return {};
}

Status Machine::results() {
  for (std::size_t a = 0; a < ranks_.size(); ++a) {
    const Actor& actor = all_.actors[a];
    const Layout& layout = ranks_[a].layout;
    for (const Expected& part :
         expected_of(actor.plan().collective, all_.request, all_.ranks, actor.rank, actor.root)) {
      Region& region = ranks_[a].user[layout.shared ? 0 : 1];
      AMALGAM_TRY(compare(static_cast<int>(a), part, region.look(layout.out_offset + part.first, part.count)));
    }
  }
  if (all_.actors[0].plan().collective == Collective::kAllReduce) return same_association();
  return {};
}

Status check(const Plan& plan, const CheckRequest& request) {
  const bool exchange = plan.collective == Collective::kAllToAll || plan.collective == Collective::kAllToAllV;
  if (exchange && request.in_place) return Status(Code::kInvalidArgument, "alltoall is not defined in place");
  Result<Unfolded> all = unfold(plan, request);
  if (!all) return all.status();
  Machine machine(*all);
  AMALGAM_TRY(machine.run());
  AMALGAM_TRY(machine.races());
  return machine.results();
}

}  // namespace amalgam::plan
