// The explainer: a plan for people. What each stage does in words, how much the busiest rank does, how long it should
// take and how close that is to what any plan could reach, and for few ranks a picture of who does what when.

#include <fmt/format.h>

#include <algorithm>

#include "plan/choose.h"
#include "plan/simulate.h"
#include "plan/simulate_machine.h"
#include "plan/unfold.h"

namespace amalgam::plan {
namespace {

constexpr int kMostPictured = 8;
constexpr int kColumns = 72;

std::string operand(const Plan& plan, const Operand& what) {
  const Buffer& buffer = plan.buffers[static_cast<std::size_t>(what.buffer)];
  const bool single = what.part.text() == "0";
  if (buffer.role == Role::kScratch)
    return fmt::format("scratch {}{}", buffer.name, single ? "" : fmt::format(" row {}", what.part.text()));
  return single ? buffer.name : fmt::format("part {} of {}", what.part.text(), buffer.name);
}

std::string in_words(const Plan& plan, const Stage& stage) {
  std::string text;
  switch (stage.action) {
    case Action::kSend: text = fmt::format("sends {} to rank {}", operand(plan, stage.from), stage.peer.text()); break;
    case Action::kRecv:
      text = fmt::format("receives {} from rank {}", operand(plan, stage.to), stage.peer.text());
      break;
    case Action::kReduce:
      text = fmt::format("folds {} with what rank {} sends into {}", operand(plan, stage.from), stage.peer.text(),
                         operand(plan, stage.to));
      break;
    case Action::kSum:
      text = fmt::format("folds {} and all rows of {} at once, in rank order, into {}", operand(plan, stage.from),
                         plan.buffers[static_cast<std::size_t>(stage.land)].name, operand(plan, stage.to));
      break;
    case Action::kCopy:
      text = fmt::format("copies {} to {}", operand(plan, stage.from), operand(plan, stage.to));
      break;
  }
  if (stage.finish) text += " and finishes it";
  if (stage.has_steps) text += fmt::format(", for s = {} to {}", stage.first.text(), stage.last.text());
  if (stage.when.text() != "1") text += fmt::format(", where {}", stage.when.text());
  return text;
}

std::string bytes_text(std::uint64_t bytes) {
  if (bytes >= 10'000'000'000) return fmt::format("{} GB", bytes / 1'000'000'000);
  if (bytes >= 10'000'000) return fmt::format("{} MB", bytes / 1'000'000);
  return bytes >= 10'000 ? fmt::format("{} kB", bytes / 1000) : fmt::format("{} B", bytes);
}

std::string time_text(std::uint64_t ns) {
  return ns >= 10'000'000 ? fmt::format("{} ms", ns / 1'000'000) : fmt::format("{}.{:03} us", ns / 1000, ns % 1000);
}

std::string head(const Plan& plan, const Unfolded& all) {
  const Actor& first = all.actors[0];
  std::int64_t steps = 0;
  for (const Program::Step& range : first.program.steps) steps = std::max(steps, range.count);
  return fmt::format(
      "{}: {} ranks, {} elements of {} bytes, root {}{}\n  {} chunks, slices of {} elements, window {}, credits {}, "
      "{}\n",
      plan.name(), plan.ranks, all.request.count, all.request.element_bytes, all.request.root,
      all.request.in_place ? ", in place" : "", first.chunks, first.slice_elements, plan.window, plan.credits,
      !reduces(plan.collective) ? "nothing is folded"
      : plan.wide               ? "one rounding"
                                : "a rounding at each hop");
}

std::string stages(const Plan& plan) {
  std::string text = "\nstages\n";
  std::size_t width = 0;
  for (const Stage& stage : plan.stages) width = std::max(width, stage.name.size());
  for (const Stage& stage : plan.stages)
    text += fmt::format("  {:<{}}  {}\n", stage.name, width, in_words(plan, stage));
  return text;
}

std::string summary(const Plan& plan, const cluster::Cluster& cluster, const CheckRequest& request,
                    const Simulation& simulation) {
  const std::uint64_t bytes = total_bytes(plan.collective, request.count, request.element_bytes, plan.ranks);
  Volume most;
  for (const Volume& rank : simulation.volume) {
    most.sent_bytes = std::max(most.sent_bytes, rank.sent_bytes);
    most.received_bytes = std::max(most.received_bytes, rank.received_bytes);
    most.folded_bytes = std::max(most.folded_bytes, rank.folded_bytes);
    most.copied_bytes = std::max(most.copied_bytes, rank.copied_bytes);
    most.messages = std::max(most.messages, rank.messages);
  }
  const std::uint64_t bound = bound_ns(plan.collective, cluster, bytes), predicted = predict_ns(plan, cluster, bytes);
  std::string text = fmt::format("\nbusiest rank  sends {} in {} messages, receives {}, folds {}, copies {}\n",
                                 bytes_text(most.sent_bytes), most.messages, bytes_text(most.received_bytes),
                                 bytes_text(most.folded_bytes), bytes_text(most.copied_bytes));
  text += fmt::format("time          {} simulated, {} by formula, {} lower bound", time_text(simulation.total_ns),
                      time_text(predicted), time_text(bound));
  if (simulation.total_ns > 0 && bound > 0)
    text += fmt::format(": {}% of what is possible", bound * 100 / simulation.total_ns);
  return text + "\n";
}

// One row for each rank, time from left to right: what the rank does, the later stage where two run at once.
std::string picture(const Unfolded& all, const Simulator& simulator, std::uint64_t total_ns) {
  std::string text = "\nrank x time (s sends, r receives, f folds, c copies, . waits)\n";
  for (std::size_t a = 0; a < all.actors.size(); ++a) {
    std::string row(kColumns, '.');
    const auto& times = simulator.times(static_cast<int>(a));
    for (std::size_t x = 0; x < times.size(); ++x) {
      const Action action = all.actors[a].plan().stages[x].action;
      const char mark = action == Action::kSend   ? 's'
                        : action == Action::kRecv ? 'r'
                        : action == Action::kCopy ? 'c'
                                                  : 'f';
      for (std::size_t i = 0; i < times[x].size(); ++i) {
        if (all.actors[a].instances[x][i].vacuous) continue;
        const auto column = [&](Time at) {
          return static_cast<std::size_t>(at * (kColumns - 1) / std::max<Time>(1, total_ns));
        };
        for (std::size_t c = column(times[x][i].begin); c <= column(times[x][i].end); ++c) row[c] = mark;
      }
    }
    text += fmt::format("  {:>3} {}\n", all.actors[a].rank, row);
  }
  return text;
}

}  // namespace

std::string explain(const Plan& plan, const cluster::Cluster& cluster, const CheckRequest& request) {
  const Result<Simulation> simulation = simulate(plan, cluster, request);
  if (!simulation) return "no plan to explain: " + simulation.status().message() + "\n";
  const Result<Unfolded> all = unfold(plan, request);
  std::string text = head(plan, *all) + stages(plan) + summary(plan, cluster, request, *simulation);
  if (plan.ranks > kMostPictured || simulation->total_ns == 0) return text;
  Simulator simulator(*all, cluster);
  if (simulator.run().ok()) text += picture(*all, simulator, simulation->total_ns);
  return text;
}

}  // namespace amalgam::plan
