// Right plans with one thing broken, in every family: each kind of damage here harms at least one root, count or
// placement, so check must find it. (Damage that may be harmless, such as a redundant dependency, is compared with an
// exhaustive interpreter elsewhere.)

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <utility>
#include <vector>

#include "plan/cases.h"
#include "plan/unfold.h"

namespace amalgam::plan {
namespace {

using Mutants = std::vector<std::pair<std::string, Plan>>;

Expression formula(const std::string& text) {
  Result<Expression> parsed = Expression::parse(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed.ok() ? parsed.take() : Expression();
}

// Some rank of some root does something in this stage (a tree of three has an inner stage without inner ranks).
bool works(const Plan& plan, std::size_t x) {
  for (int root = 0; root < plan.ranks; ++root) {
    const Result<Unfolded> all = unfold(plan, {64 * static_cast<std::uint64_t>(plan.ranks), 4, root, false});
    EXPECT_TRUE(all.ok()) << all.status().message();
    if (!all) return false;
    for (const Actor& actor : all->actors)
      if (x < actor.instances.size() && std::any_of(actor.instances[x].begin(), actor.instances[x].end(),
                                                    [](const Instance& at) { return !at.vacuous; }))
        return true;
  }
  return false;
}

// Applies `change` to each stage that works; false: nothing to change there.
Mutants for_each_stage(const Plan& plan, const std::string& kind,
                       const std::function<bool(Plan*, std::size_t)>& change) {
  Mutants mutants;
  for (std::size_t x = 0; x < plan.stages.size(); ++x) {
    Plan mutant = plan;
    if (!works(plan, x)) continue;
    if (change(&mutant, x)) mutants.emplace_back(kind + " " + plan.stages[x].name, std::move(mutant));
  }
  return mutants;
}

bool drop(Plan* plan, std::size_t x) {
  if (plan->stages.size() == 1) return false;
  plan->stages.erase(plan->stages.begin() + static_cast<std::ptrdiff_t>(x));
  for (Stage& stage : plan->stages) {
    std::erase_if(stage.after, [&](const Dependency& dependency) { return dependency.stage == static_cast<int>(x); });
    for (Dependency& dependency : stage.after) dependency.stage -= dependency.stage > static_cast<int>(x) ? 1 : 0;
  }
  return true;
}

// A second copy of a stage that sends or receives breaks its lane; of one that folds or copies it races with the first.
bool duplicate(Plan* plan, std::size_t x) {
  Stage stage = plan->stages[x];
  stage.name += "again";
  plan->stages.push_back(std::move(stage));
  return true;
}

bool shift_peer(Plan* plan, std::size_t x) {
  Stage& stage = plan->stages[x];
  if (stage.action == Action::kSum || stage.action == Action::kCopy) return false;
  stage.peer = formula("(" + stage.peer.text() + "+1)%N");
  return true;
}

bool shift_part(Plan* plan, Operand* operand) {
  if (operand->buffer < 0) return false;
  const Buffer& buffer = plan->buffers[static_cast<std::size_t>(operand->buffer)];
  const std::int64_t extent = buffer.extent.evaluate({0, plan->ranks, 0, 0});
  if (extent < 2) return false;
  operand->part = formula(fmt::format("({}+1)%{}", operand->part.text(), extent));
  return true;
}

bool toggle_finish(Plan* plan, std::size_t x) {
  Stage& stage = plan->stages[x];
  if (!reduces(plan->collective) || stage.action == Action::kSend || stage.action == Action::kRecv) return false;
  stage.finish = !stage.finish;
  return true;
}

// The sources of a stage and the next stage that has another one change places.
bool swap_sources(Plan* plan, std::size_t x) {
  for (std::size_t y = x + 1; y < plan->stages.size(); ++y) {
    Stage &a = plan->stages[x], &b = plan->stages[y];
    if (a.from.buffer < 0 || b.from.buffer < 0 || (a.from.buffer == b.from.buffer && a.from.part == b.from.part))
      continue;
    std::swap(a.from, b.from);
    return true;
  }
  return false;
}

// What check says for several roots, chunk counts and placements; empty when it finds nothing.
std::string verdict(const Plan& plan) {
  const bool cut =
      std::any_of(plan.buffers.begin(), plan.buffers.end(), [](const Buffer& b) { return b.shape == Shape::kCut; });
  const std::uint64_t parts = cut ? static_cast<std::uint64_t>(plan.ranks) : 1;
  const bool exchange = plan.collective == Collective::kAllToAll || plan.collective == Collective::kAllToAllV;
  for (std::uint64_t chunks : {1, 2, plan.window + 1, 2 * plan.window + 1})
    for (int root = 0; root < plan.ranks; ++root)
      for (bool in_place : {false, true}) {
        if (in_place && exchange) continue;
        const Status status = check(plan, {parts * chunks * (plan.slice_bytes / 4) - 3, 4, root, in_place});
        if (!status.ok()) return status.message();
      }
  return "";
}

Mutants all_mutants(const Plan& plan) {
  Mutants all;
  const auto add = [&](Mutants more) { all.insert(all.end(), more.begin(), more.end()); };
  add(for_each_stage(plan, "drop", drop));
  add(for_each_stage(plan, "duplicate", duplicate));
  add(for_each_stage(plan, "wrong peer of", shift_peer));
  add(for_each_stage(plan, "wrong source part of",
                     [](Plan* mutant, std::size_t x) { return shift_part(mutant, &mutant->stages[x].from); }));
  add(for_each_stage(plan, "wrong destination part of",
                     [](Plan* mutant, std::size_t x) { return shift_part(mutant, &mutant->stages[x].to); }));
  add(for_each_stage(plan, "toggled finish of", toggle_finish));
  add(for_each_stage(plan, "swapped source of", swap_sources));
  return all;
}

TEST(CheckMutations, AreAllReportedInEveryFamilyAndCollective) {
  int mutants = 0;
  for (int c = 0; c < kCollectives; ++c)
    for (const std::string& family : families(static_cast<Collective>(c)))
      for (int ranks : {3, 4, 5}) {
        Result<Plan> plan = build(family, static_cast<Collective>(c), cluster::uniform(ranks, ranks, 2), 1 << 20, {});
        ASSERT_TRUE(plan.ok()) << plan.status().message();
        plan->slice_bytes = 256;
        plan->window = 2;
        ASSERT_EQ(verdict(*plan), "") << print(*plan);
        for (const auto& [what, mutant] : all_mutants(*plan)) {
          ++mutants;
          EXPECT_NE(verdict(mutant), "") << what << "\n" << print(mutant);
        }
      }
  EXPECT_GT(mutants, 500);
  RecordProperty("mutants", mutants);
}

}  // namespace
}  // namespace amalgam::plan
