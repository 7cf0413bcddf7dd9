#include "oracle/interpret.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "oracle/machine.h"
#include "oracle/parse.h"
#include "oracle/system.h"

namespace oracle {
namespace {

Result wrong(std::string why) { return {Verdict::kWrong, std::move(why), 0}; }

std::string race_between(const System& system, const Process& p, const Instance& a, const Process& q,
                         const Instance& b) {
  return system.describe(p, a) + " and " + system.describe(q, b) + ": at the same memory in the same moment";
}

// Search::kEvery.
class Walk {
 public:
  Walk(const System& system, Capacity capacity, std::uint64_t most_states)
      : system_(system), machine_(system, capacity), most_states_(most_states) {}

  Result run() {
    visit({machine_.start(), machine_.initial()});
    while (!open_.empty() && result_.verdict == Verdict::kRight) {
      const State state = std::move(open_.back());
      open_.pop_back();
      expand(state);
    }
    result_.states = seen_.size();
    return result_;
  }

 private:
  struct State {
    Control control;
    Data data;
  };
  using Key = std::pair<std::uint64_t, std::uint64_t>;

  static void mix(Key& key, std::uint64_t value) {
    key.first = (key.first ^ value) * 0x9E3779B97F4A7C15u;
    key.first ^= key.first >> 29;
    key.second = (key.second + value + 1) * 0xD6E8FEB86659FD93u;
    key.second ^= key.second >> 32;
  }

  static Key key_of(const State& state) {
    Key key{0x243F6A8885A308D3u, 0x13198A2E03707344u};
    for (std::int64_t done : state.control.done) mix(key, static_cast<std::uint64_t>(done));
    for (char sent : state.control.sent) mix(key, static_cast<std::uint64_t>(sent));
    for (const auto& memory : state.data.memory) {
      for (std::uint64_t cell : memory) mix(key, cell);
    }
    for (const auto& lane : state.data.lanes) {
      mix(key, ~std::uint64_t{lane.size()});
      for (const auto& slice : lane) {
        for (std::uint64_t term : slice) mix(key, term);
      }
    }
    return key;
  }

  void visit(State state) {
    if (!seen_.insert(key_of(state)).second) return;
    if (seen_.size() > most_states_) result_.verdict = Verdict::kUndecided;
    open_.push_back(std::move(state));
  }

  void expand(const State& state) {
    if (std::string why = race(state.control); !why.empty()) {
      result_ = wrong(std::move(why));
      return;
    }
    bool moved = false;
    for (std::size_t p = 0; p < system_.processes.size(); ++p) {
      if (!machine_.may_run(state.control, p)) continue;
      moved = true;
      State next = state;
      if (std::string why = machine_.apply(state.control, p, next.data); !why.empty()) {
        result_ = wrong(std::move(why));
        return;
      }
      machine_.advance(next.control, p);
      visit(std::move(next));
    }
    if (moved || result_.verdict == Verdict::kUndecided) return;
    std::string why =
        machine_.all_done(state.control) ? machine_.check_results(state.data) : machine_.stuck(state.control);
    if (!why.empty()) result_ = wrong(std::move(why));
  }

  std::string race(const Control& at) const {
    for (std::size_t p = 0; p < system_.processes.size(); ++p) {
      if (!machine_.touches(at, p)) continue;
      for (std::size_t q = 0; q < p; ++q) {
        const bool same_rank = system_.processes[p].rank == system_.processes[q].rank;
        if (!same_rank || !machine_.touches(at, q) || !conflict(*machine_.current(at, p), *machine_.current(at, q)))
          continue;
        return race_between(system_, system_.processes[p], *machine_.current(at, p), system_.processes[q],
                            *machine_.current(at, q));
      }
    }
    return {};
  }

  const System& system_;
  Machine machine_;
  std::uint64_t most_states_;
  std::vector<State> open_;
  std::set<Key> seen_;
  Result result_;
};

// Search::kOrdered.
class Ordering {
 public:
  Ordering(const System& system, Capacity capacity) : system_(system), machine_(system, capacity) {}

  Result run() {
    const Control end = run_without(kNobody, 0);
    if (!machine_.all_done(end)) return wrong(machine_.stuck(end));
    if (std::string why = find_race(); !why.empty()) return wrong(std::move(why));
    if (std::string why = run_on_data(); !why.empty()) return wrong(std::move(why));
    return {};
  }

 private:
  static constexpr std::size_t kNobody = SIZE_MAX;

  // As far as everybody gets while instance `index` of `held` may not be done.
  Control run_without(std::size_t held, std::int64_t index) const {
    Control at = machine_.start();
    bool moved = true;
    while (moved) {
      moved = false;
      for (std::size_t p = 0; p < system_.processes.size(); ++p) {
        while (machine_.may_run(at, p) && !ends(at, p, held, index)) {
          machine_.advance(at, p);
          moved = true;
        }
      }
    }
    return at;
  }

  // The next step of `process` would have instance `index` of `held` done. (A held send may give its slice to the
  // lane.)
  bool ends(const Control& at, std::size_t process, std::size_t held, std::int64_t index) const {
    if (process != held || at.done[held] != index) return false;
    return machine_.current(at, process)->action != Action::kSend || at.sent[process];
  }

  bool reached(const Control& at, std::size_t process, std::int64_t index) const {
    return at.done[process] > index || (at.done[process] == index && machine_.touches(at, process));
  }

  const Control& without(std::size_t process, std::int64_t index) {
    const auto [at, is_new] = without_.try_emplace({process, index});
    if (is_new) at->second = run_without(process, index);
    return at->second;
  }

  std::string find_race() {
    for (std::size_t p = 0; p < system_.processes.size(); ++p) {
      for (std::size_t q = 0; q < p; ++q) {
        if (system_.processes[p].rank != system_.processes[q].rank) continue;
        if (std::string why = find_race(p, q); !why.empty()) return why;
      }
    }
    return {};
  }

  std::string find_race(std::size_t p, std::size_t q) {
    const Process &first = system_.processes[p], &second = system_.processes[q];
    for (std::size_t i = 0; i < first.instances.size(); ++i) {
      for (std::size_t j = 0; j < second.instances.size(); ++j) {
        const Instance &a = first.instances[i], &b = second.instances[j];
        if (a.vacuous || b.vacuous || !conflict(a, b)) continue;
        const auto at_i = static_cast<std::int64_t>(i), at_j = static_cast<std::int64_t>(j);
        if (!reached(without(p, at_i), q, at_j) || !reached(without(q, at_j), p, at_i)) continue;
        return race_between(system_, first, a, second, b);
      }
    }
    return {};
  }

  std::string run_on_data() {
    Control at = machine_.start();
    Data data = machine_.initial();
    while (!machine_.all_done(at)) {
      for (std::size_t p = 0; p < system_.processes.size(); ++p) {
        if (!machine_.may_run(at, p)) continue;
        if (std::string why = machine_.apply(at, p, data); !why.empty()) return why;
        machine_.advance(at, p);
      }
    }
    return machine_.check_results(data);
  }

  const System& system_;
  Machine machine_;
  std::map<std::pair<std::size_t, std::int64_t>, Control> without_;
};

Result judge(const System& system, std::int64_t credits, const Options& options) {
  if (!system.error.empty()) return wrong(system.error);
  std::vector<Capacity> capacities{std::max<Capacity>(1, credits), kUnbounded};
  if (credits == 0) capacities.push_back(0);
  Result total;
  for (Capacity capacity : capacities) {
    const Result one = options.search == Search::kEvery ? Walk(system, capacity, options.most_states).run()
                                                        : Ordering(system, capacity).run();
    total.states += one.states;
    if (one.verdict == Verdict::kUndecided && total.verdict == Verdict::kRight) total.verdict = Verdict::kUndecided;
    if (one.verdict != Verdict::kWrong) continue;
    const std::string lanes = capacity == 0 ? "none" : capacity == kUnbounded ? "any number" : std::to_string(capacity);
    return {Verdict::kWrong, one.reason + " (slices in a lane: " + lanes + ")", total.states};
  }
  return total;
}

}  // namespace

Result interpret(std::string_view plan, const Request& request, const Options& options) {
  const Parsed parsed = parse(plan);
  if (!parsed.plan) return wrong(parsed.error);
  const std::vector<Role> roles(static_cast<std::size_t>(parsed.plan->ranks), Role{&*parsed.plan, request.root});
  return judge(make_system(roles, request), parsed.plan->credits, options);
}

Result interpret_pair(std::string_view send_plan, std::string_view recv_plan, int sender, int receiver,
                      const Request& request, const Options& options) {
  const Parsed send = parse(send_plan), recv = parse(recv_plan);
  if (!send.plan) return wrong(send.error);
  if (!recv.plan) return wrong(recv.error);
  std::vector<Role> roles(static_cast<std::size_t>(send.plan->ranks), Role{&*send.plan, -1});
  roles[static_cast<std::size_t>(sender)] = {&*send.plan, receiver};
  roles[static_cast<std::size_t>(receiver)] = {&*recv.plan, sender};
  return judge(make_system(roles, request), std::max(send.plan->credits, recv.plan->credits), options);
}

}  // namespace oracle
