#include "oracle/machine.h"

#include <algorithm>

namespace oracle {
namespace {

bool receives(const Instance& instance) {
  return instance.action == Action::kRecv || instance.action == Action::kReduce;
}

bool writes_into(const Instance& writer, const Instance& other) {
  if (writer.action == Action::kSend || writer.idle || other.idle) return false;
  if (overlap(writer.to, other.from) || overlap(writer.to, other.to)) return true;
  return std::any_of(other.rows.begin(), other.rows.end(), [&](const Range& row) { return overlap(writer.to, row); });
}

}  // namespace

bool conflict(const Instance& a, const Instance& b) { return writes_into(a, b) || writes_into(b, a); }

Control Machine::start() const {
  Control at;
  at.done.assign(system_.processes.size(), 0);
  at.sent.assign(system_.processes.size(), 0);
  at.held.assign(system_.lanes.size(), 0);
  settle(at);
  return at;
}

Data Machine::initial() {
  Data data;
  for (std::size_t rank = 0; rank < system_.layouts.size(); ++rank) {
    const Layout& layout = system_.layouts[rank];
    std::vector<std::uint64_t> memory(static_cast<std::size_t>(layout.size()), 2 * std::uint64_t{terms_.garbage()});
    for (std::int64_t e = 0; e < layout.in().length; ++e) {
      memory[static_cast<std::size_t>(layout.in().begin + e)] =
          2 * std::uint64_t{terms_.raw(static_cast<int>(rank), e)};
    }
    data.memory.push_back(std::move(memory));
  }
  data.lanes.resize(system_.lanes.size());
  return data;
}

const Instance* Machine::current(const Control& at, std::size_t process) const {
  const std::vector<Instance>& instances = system_.processes[process].instances;
  const auto index = static_cast<std::size_t>(at.done[process]);
  return index < instances.size() ? &instances[index] : nullptr;
}

bool Machine::ready(const Control& at, std::size_t process) const {
  const Instance* instance = current(at, process);
  if (!instance) return false;
  return std::all_of(instance->after.begin(), instance->after.end(),
                     [&](const Condition& c) { return at.done[static_cast<std::size_t>(c.process)] >= c.done; });
}

bool Machine::may_run(const Control& at, std::size_t process) const {
  if (!ready(at, process)) return false;
  const Instance& instance = *current(at, process);
  if (instance.lane < 0) return true;
  const std::int64_t held = at.held[static_cast<std::size_t>(instance.lane)];
  if (receives(instance)) return held > 0;
  if (at.sent[process]) return capacity_ > 0 || held == 0;
  return held < std::max<Capacity>(1, capacity_);
}

bool Machine::touches(const Control& at, std::size_t process) const {
  return may_run(at, process) || (current(at, process) && at.sent[process]);
}

bool Machine::all_done(const Control& at) const {
  for (std::size_t p = 0; p < at.done.size(); ++p) {
    if (current(at, p)) return false;
  }
  return true;
}

void Machine::settle(Control& at) const {
  for (std::size_t p = 0; p < at.done.size(); ++p) {
    while (current(at, p) && current(at, p)->vacuous) ++at.done[p];
  }
}

void Machine::advance(Control& at, std::size_t process) const {
  const Instance& instance = *current(at, process);
  const bool puts = instance.action == Action::kSend && !at.sent[process];
  at.sent[process] = puts;
  if (puts) ++at.held[static_cast<std::size_t>(instance.lane)];
  if (receives(instance)) --at.held[static_cast<std::size_t>(instance.lane)];
  if (!puts) ++at.done[process];
  settle(at);
}

std::vector<std::uint64_t> Machine::read(Data& data, int rank, const Range& range, bool pre_scale) {
  std::vector<std::uint64_t> terms;
  for (std::int64_t e = range.begin; e < range.begin + range.length; ++e) {
    std::uint64_t& cell = data.memory[static_cast<std::size_t>(rank)][static_cast<std::size_t>(e)];
    cell &= ~std::uint64_t{1};
    const auto term = static_cast<Term>(cell / 2);
    terms.push_back(pre_scale ? terms_.pre(term) : term);
  }
  return terms;
}

std::vector<std::uint64_t> Machine::received(const Instance& instance, Data& data) {
  auto& lane = data.lanes[static_cast<std::size_t>(instance.lane)];
  std::vector<std::uint64_t> slice = std::move(lane.front());
  lane.pop_front();
  return slice;
}

std::vector<std::uint64_t> Machine::sum(const Process& process, const Instance& instance, Data& data) {
  std::vector<std::vector<std::uint64_t>> rows;
  for (std::size_t p = 0; p < instance.rows.size(); ++p) {
    const bool own = static_cast<int>(p) == process.rank;
    rows.push_back(read(data, process.rank, instance.rows[p], own && instance.pre_scale));
  }
  std::vector<std::uint64_t> terms;
  for (std::size_t e = 0; e < static_cast<std::size_t>(instance.length); ++e) {
    std::vector<Term> parts;
    for (const auto& row : rows) parts.push_back(static_cast<Term>(row[e]));
    terms.push_back(terms_.summed(parts));
  }
  return terms;
}

std::vector<std::uint64_t> Machine::result_of(const Process& process, const Instance& instance, Data& data) {
  if (instance.action == Action::kSum) return sum(process, instance, data);
  if (instance.action == Action::kRecv) return received(instance, data);
  std::vector<std::uint64_t> own = read(data, process.rank, instance.from, instance.pre_scale);
  if (instance.action != Action::kReduce) return own;
  const std::vector<std::uint64_t> slice = received(instance, data);
  for (std::size_t e = 0; e < own.size(); ++e)
    own[e] = terms_.folded(static_cast<Term>(own[e]), static_cast<Term>(slice[e]));
  return own;
}

std::string Machine::store(Data& data, const Process& process, const Instance& instance,
                           const std::vector<std::uint64_t>& terms) {
  std::vector<std::uint64_t>& memory = data.memory[static_cast<std::size_t>(process.rank)];
  for (std::size_t e = 0; e < terms.size(); ++e) {
    std::uint64_t& cell = memory[static_cast<std::size_t>(instance.to.begin) + e];
    if (cell & 1) return system_.describe(process, instance) + ": overwrites what has not been used";
    const auto term = static_cast<Term>(terms[e]);
    cell = 2 * std::uint64_t{instance.finish ? terms_.finished(term) : term} + 1;
  }
  return {};
}

std::string Machine::apply(const Control& at, std::size_t process, Data& data) {
  const Process& who = system_.processes[process];
  const Instance& instance = *current(at, process);
  if (instance.idle || at.sent[process]) return {};
  std::vector<std::uint64_t> terms = result_of(who, instance, data);
  if (instance.action != Action::kSend) return store(data, who, instance, terms);
  data.lanes[static_cast<std::size_t>(instance.lane)].push_back(std::move(terms));
  return {};
}

std::string Machine::check_results(const Data& data) const {
  const auto ranks = static_cast<int>(system_.layouts.size());
  std::vector<std::uint64_t> first;  // allreduce: rank 0's result
  for (std::size_t rank = 0; rank < system_.layouts.size(); ++rank) {
    if (!system_.takes_part[rank]) continue;
    std::size_t position = 0;
    for (const Expected& piece : system_.layouts[rank].expected()) {
      for (std::int64_t e = 0; e < piece.at.length; ++e, ++position) {
        const auto term = static_cast<Term>(data.memory[rank][static_cast<std::size_t>(piece.at.begin + e)] / 2);
        bool right = piece.source < 0 ? terms_.is_result(term, ranks, piece.from + e, system_.wide)
                                      : terms_.is_raw(term, piece.source, piece.from + e);
        if (system_.same_everywhere) {
          if (rank == 0) first.push_back(term);
          right = right && first[position] == term;
        }
        if (!right) return "rank " + std::to_string(rank) + " element " + std::to_string(position) + ": a wrong result";
      }
    }
  }
  return {};
}

std::string Machine::stuck(const Control& at) const {
  for (std::size_t p = 0; p < at.done.size(); ++p) {
    if (const Instance* instance = current(at, p))
      return system_.describe(system_.processes[p], *instance) + ": never gets on";
  }
  return {};
}

}  // namespace oracle
