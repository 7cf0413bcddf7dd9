#include "plan/check_machine.h"

#include <fmt/format.h>

#include <algorithm>

namespace amalgam::plan {

Machine::Machine(const Unfolded& all)
    : all_(all), folds_(reduces(all.actors[0].plan().collective)), values_(all.ranks), wires_(all.lanes.size()) {
  for (std::size_t a = 0; a < all.actors.size(); ++a) lay_out(static_cast<int>(a));
}

void Machine::lay_out(int which) {
  const Actor& actor = all_.actors[static_cast<std::size_t>(which)];
  const Plan& plan = actor.plan();
  const std::size_t stages = plan.stages.size();
  Rank rank{layout_of(plan.collective, all_.request, all_.ranks, actor.rank),
            {},
            {},
            {},
            {},
            {},
            {},
            History(all_, which, History::Reach::kOwn),
            {}};
  rank.done.assign(stages, 0);
  rank.begun.assign(stages, 0);
  rank.queued.assign(stages, 0);
  rank.waiters.resize(stages);
  const Layout& at = rank.layout;
  const int mine = at.in_given ? values_.leaf(actor.rank) : Values::kGarbage;
  rank.user[0].put(0, at.in_offset, Values::kGarbage, 0);
  rank.user[0].put(at.in_offset, at.in_size, mine, 0);
  const std::uint64_t past = at.in_offset + at.in_size;
  if (at.shared && at.out_size > past) rank.user[0].put(past, at.out_size - past, Values::kGarbage, past);
  rank.user[1].put(0, at.out_size, Values::kGarbage, 0);
  for (std::size_t b = 0; b < plan.buffers.size(); ++b) {
    const std::int64_t rows = plan.buffers[b].role == Role::kScratch ? actor.program.extents[b] : 0;
    Region slot;
    slot.put(0, actor.slice_elements, Values::kGarbage, 0);
    rank.slots.emplace_back(static_cast<std::size_t>(std::max<std::int64_t>(0, rows) * plan.window), slot);
  }
  for (std::size_t x = 0; x < stages; ++x)
    for (const Dependency& dependency : plan.stages[x].after)
      rank.waiters[static_cast<std::size_t>(dependency.stage)].push_back(static_cast<int>(x));
  ranks_.push_back(std::move(rank));
}

void Machine::push(int actor, int stage) {
  char& queued = ranks_[static_cast<std::size_t>(actor)].queued[static_cast<std::size_t>(stage)];
  if (queued) return;
  queued = 1;
  work_.emplace_back(actor, stage);
}

Status Machine::run() {
  for (std::size_t a = 0; a < ranks_.size(); ++a)
    for (std::size_t x = 0; x < ranks_[a].done.size(); ++x) push(static_cast<int>(a), static_cast<int>(x));
  while (!work_.empty()) {
    const auto [actor, stage] = work_.front();
    work_.pop_front();
    ranks_[static_cast<std::size_t>(actor)].queued[static_cast<std::size_t>(stage)] = 0;
    Result<bool> advanced = true;
    while (advanced && *advanced) advanced = advance(actor, stage);
    if (!advanced) return advanced.status();
  }
  return stuck();
}

bool Machine::ready(const Now& now) const {
  const Rank& rank = ranks_[static_cast<std::size_t>(now.actor)];
  for (const Dependency& dependency : now.what.after)
    if (rank.done[static_cast<std::size_t>(dependency.stage)] < needed(now.program, dependency, now.instance))
      return false;
  return true;
}

// Tries the next instance of a stage; true when it is done.
Result<bool> Machine::advance(int actor, int stage) {
  const Actor& program = all_.actors[static_cast<std::size_t>(actor)];
  Rank& rank = ranks_[static_cast<std::size_t>(actor)];
  const auto x = static_cast<std::size_t>(stage);
  const std::int64_t index = rank.done[x];
  if (index == static_cast<std::int64_t>(program.instances[x].size())) return false;
  const Now now{
      actor,         stage, program, program.plan().stages[x], program.instances[x][static_cast<std::size_t>(index)],
      {stage, index}};
  if (now.instance.vacuous) {
    rank.history.run({actor, now.access});
    trace_.push_back({actor, now.access});
  } else {
    if (!ready(now)) return false;
    Result<bool> over = now.what.action == Action::kSend ? advance_send(now) : act(now);
    if (!over || !*over) return over;
  }
  ++rank.done[x];
  for (int waiter : rank.waiters[x]) push(actor, waiter);
  return true;
}

// A send reads its source when it begins and is done when the lane has room, or, with no credits, when it has been
// received.
Result<bool> Machine::advance_send(const Now& now) {
  char& begun = ranks_[static_cast<std::size_t>(now.actor)].begun[static_cast<std::size_t>(now.stage)];
  const Lane& lane = all_.lanes[static_cast<std::size_t>(now.instance.lane)];
  Wire& wire = wires_[static_cast<std::size_t>(now.instance.lane)];
  if (!begun) {
    ranks_[static_cast<std::size_t>(now.actor)].history.run({now.actor, now.access});
    trace_.push_back({now.actor, now.access});
    Result<Content> content = load(now, now.instance.from);
    if (!content) return content.status();
    wire.content.push_back(content.take());
    ++wire.sent;
    begun = 1;
    push(lane.receive.actor, lane.receive.stage);
  }
  const std::int64_t room = now.program.plan().credits == 0 ? 0 : now.program.plan().credits;
  if (now.instance.position >= wire.received + room) return false;
  begun = 0;
  return true;
}

// Everything that stores: receive, reduce, sum, copy.
Result<bool> Machine::act(const Now& now) {
  const bool takes = receives(now.what.action);
  if (takes && wires_[static_cast<std::size_t>(now.instance.lane)].sent <= now.instance.position) return false;
  ranks_[static_cast<std::size_t>(now.actor)].history.run({now.actor, now.access});
  trace_.push_back({now.actor, now.access});
  if (idle(now)) return true;
  Result<Content> content = operand(now);
  if (!content) return content.status();
  Content stored = content.take();
  if (now.what.finish) {
    if (!folds_) return wrong(now, "finish in a plan that does not reduce");
    for (Segment& run : stored) run.node = values_.finished(run.node);
  }
  AMALGAM_TRY(store(now, now.instance.to, stored));
  if (takes) {
    const Lane& lane = all_.lanes[static_cast<std::size_t>(now.instance.lane)];
    ++wires_[static_cast<std::size_t>(now.instance.lane)].received;
    push(lane.send.actor, lane.send.stage);
  }
  return true;
}

// What the instance stores, before `finish`.
Result<Content> Machine::operand(const Now& now) {
  if (now.what.action == Action::kCopy) return load(now, now.instance.from);
  if (now.what.action == Action::kSum) return sum(now);
  std::deque<Content>& wire = wires_[static_cast<std::size_t>(now.instance.lane)].content;
  Content arrived = std::move(wire.front());
  wire.pop_front();
  if (now.what.action == Action::kRecv) return arrived;
  Result<Content> own = load(now, now.instance.from);
  if (!own) return own;
  return combine(*own, arrived);
}

Content Machine::combine(const Content& a, const Content& b) {
  return zip(a, b, [this](const Segment& x, const Segment& y) {
    return Segment{x.count, x.origin == y.origin ? values_.combined(x.node, y.node) : values_.mixed(), x.origin};
  });
}

// Adds in rank order: inputs of one run are collected, then folded into one node.
Result<Content> Machine::sum(const Now& now) {
  std::vector<std::vector<int>> inputs;  // per run of `shape`
  Content shape{{now.instance.elements, 0, 0}};
  bool same = true;
  for (int p = 0; p < all_.ranks; ++p) {
    Span row{now.what.land, p * now.program.plan().window + now.instance.chunk % now.program.plan().window, 0,
             now.instance.elements};
    Result<Content> next = load(now, p == now.program.rank ? now.instance.from : row);
    if (!next) return next;
    std::vector<std::vector<int>> longer;
    shape = zip(shape, *next, [&](const Segment& x, const Segment& y) {
      longer.push_back(p == 0 ? std::vector<int>{} : inputs[static_cast<std::size_t>(x.node)]);
      longer.back().push_back(y.node);
      same &= p == 0 || x.origin == y.origin;
      return Segment{x.count, static_cast<int>(longer.size()) - 1, y.origin};
    });
    inputs = std::move(longer);
  }
  for (Segment& run : shape)
    run.node = same ? values_.summed(inputs[static_cast<std::size_t>(run.node)]) : values_.mixed();
  return shape;
}

}  // namespace amalgam::plan
