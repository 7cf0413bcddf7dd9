#include "oracle/system.h"

#include <algorithm>

namespace oracle {
namespace {

struct Wrong {
  std::string why;
};  // thrown inside this file only

[[noreturn]] void fail(std::string why) { throw Wrong{std::move(why)}; }

constexpr std::int64_t kMaxSteps = 64, kMaxChunks = 64;

struct Steps {
  std::int64_t first = 0, count = 1;
};

// Builds the processes of one rank.
class Builder {
 public:
  Builder(System& system, const Plan& plan, const Layout& layout, int rank, std::vector<int>& first_process)
      : system_(system),
        plan_(plan),
        layout_(layout),
        rank_(rank),
        base_(first_process[static_cast<std::size_t>(rank)]) {}

  void build() {
    for (const Stage& stage : plan_.stages) steps_.push_back(steps_of(stage));
    for (std::size_t i = 0; i < plan_.stages.size(); ++i) build_stage(static_cast<int>(i));
  }

 private:
  std::int64_t value(const Expression& expression, std::int64_t step, const std::string& what) const {
    const auto found = expression.evaluate(layout_.environment(step));
    if (!found) fail("rank " + std::to_string(rank_) + ": " + what + " has no value");
    return *found;
  }

  Steps steps_of(const Stage& stage) const {
    if (!stage.has_steps) return {};
    const std::int64_t first = value(stage.first, 0, "the first step of " + stage.name);
    const std::int64_t last = value(stage.last, 0, "the last step of " + stage.name);
    if (last - first >= kMaxSteps || layout_.chunks() > kMaxChunks) fail("too large for the oracle");
    return {first, std::max<std::int64_t>(0, last - first + 1)};
  }

  void build_stage(int index) {
    const Stage& stage = plan_.stages[static_cast<std::size_t>(index)];
    const Steps steps = steps_[static_cast<std::size_t>(index)];
    Process process;
    process.rank = rank_;
    process.stage = index;
    const std::int64_t chunks = layout_.chunks();
    for (std::int64_t i = 0; i < steps.count * chunks; ++i) {
      const std::int64_t chunk = plan_.chunk_outer ? i / steps.count : i % chunks;
      const std::int64_t step = steps.first + (plan_.chunk_outer ? i % steps.count : i / chunks);
      process.instances.push_back(make_instance(stage, step, chunk));
    }
    system_.processes.push_back(std::move(process));
    system_.stage_names.push_back(stage.name);
  }

  Instance make_instance(const Stage& stage, std::int64_t step, std::int64_t chunk) {
    Instance made;
    made.action = stage.action;
    made.step = step;
    made.chunk = chunk;
    made.finish = stage.finish;
    made.vacuous = value(stage.when, step, "the condition of " + stage.name) == 0;
    if (made.vacuous) return made;
    place_operands(stage, made);
    if (made.length == 0) {
      made.vacuous = true;
      return made;
    }
    check_memory(stage, made);
    if (stage.action == Action::kSend || stage.action == Action::kRecv || stage.action == Action::kReduce) {
      made.lane = lane_of(stage, made);
    }
    for (const Dependency& dependency : stage.after) made.after.push_back(condition(dependency, stage, step, chunk));
    return made;
  }

  std::string where(const Stage& stage, const Instance& at) const {
    return "rank " + std::to_string(rank_) + " stage " + stage.name + " step " + std::to_string(at.step) + " chunk " +
           std::to_string(at.chunk);
  }

  Located locate(const Stage& stage, const Operand& operand, const Instance& at) const {
    Located found = layout_.locate(operand, at.step, at.chunk);
    if (!found.error.empty()) fail(where(stage, at) + ": " + found.error);
    return found;
  }

  void place_operands(const Stage& stage, Instance& made) {
    if (is_idle(stage, made)) return;
    const bool stores = stage.action != Action::kSend, reads = stage.action != Action::kRecv;
    if (stores) made.to = locate(stage, stage.to, made).range;
    if (reads) {
      const Located from = locate(stage, stage.from, made);
      made.from = from.range;
      made.pre_scale = from.is_in && system_.reducing;
    }
    made.length = stores ? made.to.length : made.from.length;
    if (stores && reads && made.to.length != made.from.length) fail(where(stage, made) + ": operands differ in length");
    if (stage.action == Action::kSum) place_rows(stage, made);
  }

  // A copy of memory onto itself: no work, even where `in` is only in name another buffer.
  bool is_idle(const Stage& stage, Instance& made) const {
    if (stage.action != Action::kCopy || stage.finish) return false;
    const Located to = layout_.locate(stage.to, made.step, made.chunk),
                  from = layout_.locate(stage.from, made.step, made.chunk);
    if (!to.error.empty() || from.range.length != to.range.length || from.range.begin != to.range.begin) return false;
    if (from.is_in && system_.reducing) return false;
    made.length = to.range.length;
    made.idle = true;
    return true;
  }

  void place_rows(const Stage& stage, Instance& made) {
    for (std::int64_t p = 0; p < plan_.ranks; ++p) {
      Located row{made.from, false, {}};
      if (p != rank_) row = layout_.row(stage.land, p, made.chunk);
      if (!row.error.empty()) fail(where(stage, made) + ": " + row.error);
      if (row.range.length != made.length) fail(where(stage, made) + ": operands differ in length");
      made.rows.push_back(row.range);
    }
  }

  // Whatever is stored must go where the collective puts results, or to scratch; and no operand may half overlap
  // another.
  void check_memory(const Stage& stage, const Instance& at) const {
    if (stage.action == Action::kSend || at.idle) return;
    const Range users{0,
                      std::max(layout_.in().begin + layout_.in().length, layout_.out().begin + layout_.out().length)};
    if (overlap(at.to, users)) {
      bool inside = false;
      for (std::int64_t e = at.to.begin; e < at.to.begin + at.to.length; ++e) {
        inside = std::any_of(layout_.expected().begin(), layout_.expected().end(), [e](const Expected& x) {
          return overlap(x.at, {e, 1});
        });
        if (!inside) fail(where(stage, at) + ": writes memory of the caller that is not its result");
      }
    }
    if (overlap(at.to, at.from) && at.to.begin != at.from.begin) fail(where(stage, at) + ": its operands overlap");
    for (const Range& row : at.rows) {
      if (overlap(at.to, row) && at.to.begin != row.begin) fail(where(stage, at) + ": its operands overlap");
    }
  }

  int lane_of(const Stage& stage, const Instance& at) {
    const std::int64_t peer = value(stage.peer, at.step, "the peer of " + stage.name);
    if (peer < 0 || peer >= plan_.ranks) fail(where(stage, at) + ": no rank " + std::to_string(peer));
    const bool sends = stage.action == Action::kSend;
    const int self = base_ + static_cast<int>(&stage - plan_.stages.data());
    Lane wanted;
    wanted.sender_rank = sends ? rank_ : static_cast<int>(peer);
    wanted.receiver_rank = sends ? static_cast<int>(peer) : rank_;
    wanted.channel = stage.channel;
    const auto same = [&](const Lane& lane) {
      return lane.sender_rank == wanted.sender_rank && lane.receiver_rank == wanted.receiver_rank &&
             lane.channel == wanted.channel;
    };
    auto found = std::find_if(system_.lanes.begin(), system_.lanes.end(), same);
    if (found == system_.lanes.end()) found = system_.lanes.insert(found, wanted);
    int& end = sends ? found->sender : found->receiver;
    if (end >= 0 && end != self) fail(where(stage, at) + ": a lane with two stages at one end");
    end = self;
    return static_cast<int>(found - system_.lanes.begin());
  }

  // Instances of X that come before and up to (step, chunk).
  std::int64_t up_to(const Steps& steps, std::int64_t step, std::int64_t chunk) const {
    const std::int64_t offset = step - steps.first;
    return (plan_.chunk_outer ? chunk * steps.count + offset : offset * layout_.chunks() + chunk) + 1;
  }

  Condition condition(const Dependency& dependency, const Stage& stage, std::int64_t step, std::int64_t chunk) const {
    const Stage& other = plan_.stages[static_cast<std::size_t>(dependency.stage)];
    const Steps steps = steps_[static_cast<std::size_t>(dependency.stage)];
    const Condition nothing{base_ + dependency.stage, 0};
    const std::int64_t at_chunk = chunk - dependency.distance;
    if (at_chunk < 0 || steps.count == 0) return nothing;
    std::int64_t at = other.has_steps ? step : 0;
    if (dependency.step == Dependency::Step::kAt) at = value(dependency.at, step, "a dependency of " + stage.name);
    if (dependency.step == Dependency::Step::kAll) at = steps.first + steps.count - 1;
    if (at < steps.first || at >= steps.first + steps.count) return nothing;
    return {nothing.process, up_to(steps, at, at_chunk)};
  }

  System& system_;
  const Plan& plan_;
  const Layout& layout_;
  int rank_, base_;
  std::vector<Steps> steps_;
};

struct Slice {
  std::int64_t chunk, length;
  bool operator==(const Slice&) const = default;
};

std::vector<Slice> slices_on(const System& system, int process, int lane) {
  std::vector<Slice> found;
  if (process < 0) return found;
  for (const Instance& instance : system.processes[static_cast<std::size_t>(process)].instances) {
    if (instance.lane == lane) found.push_back({instance.chunk, instance.length});
  }
  return found;
}

void check_lanes(const System& system) {
  for (std::size_t i = 0; i < system.lanes.size(); ++i) {
    const Lane& lane = system.lanes[i];
    if (slices_on(system, lane.sender, static_cast<int>(i)) == slices_on(system, lane.receiver, static_cast<int>(i)))
      continue;
    fail("lane " + std::to_string(lane.sender_rank) + " -> " + std::to_string(lane.receiver_rank) + " channel " +
         std::to_string(lane.channel) + ": what is sent is not what is expected");
  }
}

void check_words(const Plan& plan, bool reducing) {
  for (const Stage& stage : plan.stages) {
    const bool folds = stage.action == Action::kReduce || stage.action == Action::kSum;
    if (!reducing && (folds || stage.finish)) fail("stage " + stage.name + " reduces in a plan that does not");
  }
}

void build_all(System& system, const std::vector<Role>& roles, const Request& request) {
  std::vector<int> first_process;
  int processes = 0;
  for (std::size_t rank = 0; rank < roles.size(); ++rank) {
    const Plan& plan = *roles[rank].plan;
    system.layouts.emplace_back(plan, request, static_cast<int>(rank), roles[rank].root);
    if (!system.layouts.back().error().empty()) fail(system.layouts.back().error());
    first_process.push_back(processes);
    if (system.takes_part[rank]) processes += static_cast<int>(plan.stages.size());
  }
  for (std::size_t rank = 0; rank < roles.size(); ++rank) {
    if (!system.takes_part[rank]) continue;
    check_words(*roles[rank].plan, system.reducing);
    Builder(system, *roles[rank].plan, system.layouts[rank], static_cast<int>(rank), first_process).build();
  }
  check_lanes(system);
}

}  // namespace

std::string System::describe(const Process& process, const Instance& instance) const {
  return "rank " + std::to_string(process.rank) + " stage " +
         stage_names[static_cast<std::size_t>(&process - processes.data())] + " step " + std::to_string(instance.step) +
         " chunk " + std::to_string(instance.chunk);
}

System make_system(const std::vector<Role>& roles, const Request& request) {
  System system;
  for (const Role& role : roles) system.takes_part.push_back(role.root >= 0);
  const Plan& plan = *roles[0].plan;
  system.reducing = plan.collective == "allreduce" || plan.collective == "reduce" || plan.collective == "reducescatter";
  system.same_everywhere = plan.collective == "allreduce";
  system.wide = plan.wide;
  try {
    build_all(system, roles, request);
  } catch (const Wrong& wrong) {
    system.error = wrong.why;
  }
  return system;
}

}  // namespace oracle
