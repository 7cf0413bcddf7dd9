#include "plan/simulate_machine.h"

#include <fmt/format.h>

#include <algorithm>

#include "plan/cost.h"

namespace amalgam::plan {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kNoRailSpeed = 10'000'000;  // a rank without rails that must leave its domain, as in cost.cc
constexpr std::uint64_t kNoRailLatency = 100'000;
constexpr std::uint64_t kMostCores = 4096;

std::uint64_t nanoseconds(std::uint64_t bytes, std::uint64_t bytes_per_second) {
  return scale(bytes, kSecond, std::max<std::uint64_t>(1, bytes_per_second));
}

}  // namespace

Simulator::Simulator(const Unfolded& all, const cluster::Cluster& cluster) : all_(all), cluster_(cluster) {
  for (const Actor& actor : all.actors) {
    Rank rank{layout_of(actor.plan().collective, all.request, all.ranks, actor.rank), {}, {}, {}, 0};
    const std::size_t stages = actor.plan().stages.size();
    rank.times.resize(stages);
    rank.waiting.assign(stages, 0);
    rank.waiters.resize(stages);
    for (std::size_t x = 0; x < stages; ++x)
      for (const Dependency& dependency : actor.plan().stages[x].after)
        rank.waiters[static_cast<std::size_t>(dependency.stage)].push_back(static_cast<int>(x));
    ranks_.push_back(std::move(rank));
  }
  arrivals_.resize(all.lanes.size());
  for (const cluster::Domain& at : cluster.domains)
    cores_.emplace_back(static_cast<std::size_t>(std::clamp<std::uint64_t>(at.cores, 1, kMostCores)), 0);
  for (const cluster::Rank& rank : cluster.ranks)
    for (const cluster::Rail& at : rank.rails)
      rails_[{rank.domain, at.network}] = {std::max<std::uint64_t>(1, at.bytes_per_second), at.latency_ns, 0, 0};
}

const cluster::Domain& Simulator::domain(int rank) const {
  return cluster_.domains[static_cast<std::size_t>(cluster_.ranks[static_cast<std::size_t>(rank)].domain)];
}

bool Simulator::by_memory(int a, int b) const {
  return cluster_.ranks[static_cast<std::size_t>(a)].domain == cluster_.ranks[static_cast<std::size_t>(b)].domain;
}

Simulator::Rail* Simulator::rail(int rank, std::size_t index) {
  const cluster::Rank& at = cluster_.ranks[static_cast<std::size_t>(rank)];
  if (at.rails.empty())
    return &rails_.try_emplace({at.domain, ""}, Rail{kNoRailSpeed, kNoRailLatency, 0, 0}).first->second;
  return &rails_[{at.domain, at.rails[index % at.rails.size()].network}];
}

Status Simulator::run() {
  for (std::size_t a = 0; a < ranks_.size(); ++a)
    for (std::size_t x = 0; x < ranks_[a].times.size(); ++x) consider(static_cast<int>(a), static_cast<int>(x));
  while (!queue_.empty()) {
    const Ready ready = queue_.top();
    queue_.pop();
    execute(ready);
  }
  for (std::size_t a = 0; a < ranks_.size(); ++a)
    for (std::size_t x = 0; x < ranks_[a].times.size(); ++x)
      if (const auto& instances = all_.actors[a].instances[x]; ranks_[a].times[x].size() < instances.size())
        return Status(
            Code::kInternal,
            describe(all_.actors[a], static_cast<int>(x), instances[ranks_[a].times[x].size()]) + ": waits for ever");
  return {};
}

// Puts the next instance of a stage into the queue once the time is known at which it may start.
void Simulator::consider(int actor, int stage) {
  Rank& rank = ranks_[static_cast<std::size_t>(actor)];
  const auto x = static_cast<std::size_t>(stage);
  const auto& instances = all_.actors[static_cast<std::size_t>(actor)].instances[x];
  const std::size_t index = rank.times[x].size();
  Time at = index == 0 ? 0 : rank.times[x].back().end;
  if (rank.waiting[x] || index == instances.size() || !possible(actor, stage, instances[index], &at)) return;
  rank.waiting[x] = 1;
  queue_.push({at, actor, stage});
}

bool Simulator::possible(int which, int stage, const Instance& instance, Time* at) const {
  if (instance.vacuous) return true;
  const Rank& rank = ranks_[static_cast<std::size_t>(which)];
  const Actor& actor = all_.actors[static_cast<std::size_t>(which)];
  const Stage& what = actor.plan().stages[static_cast<std::size_t>(stage)];
  for (const Dependency& dependency : what.after) {
    const auto count = static_cast<std::size_t>(needed(actor, dependency, instance));
    const auto& times = rank.times[static_cast<std::size_t>(dependency.stage)];
    if (times.size() < count) return false;
    if (count > 0) *at = std::max(*at, times[count - 1].end);
  }
  return instance.lane < 0 || lane_allows(actor, what, instance, at);
}

bool Simulator::lane_allows(const Actor& actor, const Stage& stage, const Instance& instance, Time* at) const {
  const auto& arrived = arrivals_[static_cast<std::size_t>(instance.lane)];
  if (receives(stage.action)) {
    if (static_cast<std::int64_t>(arrived.size()) <= instance.position) return false;
    *at = std::max(*at, arrived[static_cast<std::size_t>(instance.position)]);
    return true;
  }
  const std::int64_t before =
      instance.position - (actor.plan().credits > 0 ? actor.plan().credits : actor.plan().window);
  if (before < 0) return true;
  const Lane::End& end = all_.lanes[static_cast<std::size_t>(instance.lane)].receive;
  const auto index = static_cast<std::size_t>(end.index[static_cast<std::size_t>(before)]);
  const auto& times = ranks_[static_cast<std::size_t>(end.actor)].times[static_cast<std::size_t>(end.stage)];
  if (times.size() <= index) return false;
  *at = std::max(*at, times[index].end);
  return true;
}

void Simulator::execute(const Ready& ready) {
  Rank& rank = ranks_[static_cast<std::size_t>(ready.actor)];
  const auto x = static_cast<std::size_t>(ready.stage);
  const Actor& actor = all_.actors[static_cast<std::size_t>(ready.actor)];
  const Instance& instance = actor.instances[x][rank.times[x].size()];
  rank.waiting[x] = 0;
  const Timed timed =
      instance.vacuous ? Timed{ready.at, ready.at} : place(ready.actor, actor.plan().stages[x], instance, ready.at);
  rank.times[x].push_back(timed);
  if (instance.lane >= 0) {
    const Lane& lane = all_.lanes[static_cast<std::size_t>(instance.lane)];
    const bool sent = actor.plan().stages[x].action == Action::kSend;
    const Lane::End& other = sent ? lane.receive : lane.send;
    consider(other.actor, other.stage);
  }
  consider(ready.actor, ready.stage);
  for (int waiter : rank.waiters[x]) consider(ready.actor, waiter);
}

// When the instance runs, given when it may.
Timed Simulator::place(int which, const Stage& stage, const Instance& instance, Time at) {
  const Actor& actor = all_.actors[static_cast<std::size_t>(which)];
  const std::uint64_t bytes = instance.elements * all_.request.element_bytes;
  const bool near = instance.peer < 0 || by_memory(actor.rank, instance.peer);
  switch (stage.action) {
    case Action::kSend: {
      const Timed timed = near ? work(which, at, bytes) : transfer(instance, at, bytes);
      const Time latency = near
                               ? domain(actor.rank).latency_ns
                               : std::max(rail(actor.rank, static_cast<std::size_t>(instance.position))->latency_ns,
                                          rail(instance.peer, static_cast<std::size_t>(instance.position))->latency_ns);
      arrivals_[static_cast<std::size_t>(instance.lane)].push_back(timed.end + latency);
      return timed;
    }
    case Action::kRecv: return near ? work(which, at, bytes) : Timed{at, at};
    case Action::kReduce: return work(which, at, bytes);
    case Action::kSum: return work(which, at, bytes * static_cast<std::uint64_t>(std::max(1, all_.ranks - 1)));
    case Action::kCopy:
      if (same_memory(actor, ranks_[static_cast<std::size_t>(which)].layout, instance)) return {at, at};
      return work(which, at, bytes);
  }
  return {at, at};
}

// On the rank's thread, on whichever core of the domain is free first.
Timed Simulator::work(int which, Time at, std::uint64_t bytes) {
  const int rank = all_.actors[static_cast<std::size_t>(which)].rank;
  auto& cores = cores_[static_cast<std::size_t>(cluster_.ranks[static_cast<std::size_t>(rank)].domain)];
  Time& core = *std::min_element(cores.begin(), cores.end());
  Time& thread = ranks_[static_cast<std::size_t>(which)].cpu_free;
  const Time begin = std::max({at, core, thread});
  return {begin, core = thread = begin + nanoseconds(bytes, domain(rank).bytes_per_second)};
}

Timed Simulator::transfer(const Instance& instance, Time at, std::uint64_t bytes) {
  const Lane& lane = all_.lanes[static_cast<std::size_t>(instance.lane)];
  Rail& from = *rail(lane.sender, static_cast<std::size_t>(instance.position));
  Rail& to = *rail(lane.receiver, static_cast<std::size_t>(instance.position));
  const Time begin = std::max({at, from.send_free, to.receive_free});
  return {begin, from.send_free = to.receive_free =
                     begin + nanoseconds(bytes, std::min(from.bytes_per_second, to.bytes_per_second))};
}

Time Simulator::finished(int actor) const {
  Time last = 0;
  for (const auto& stage : ranks_[static_cast<std::size_t>(actor)].times)
    if (!stage.empty()) last = std::max(last, stage.back().end);
  return last;
}

}  // namespace amalgam::plan
