#include "measure.h"

#include <dlfcn.h>
#include <time.h>

#include <algorithm>

#include "failure.h"

namespace perf {
namespace {

double now_us(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Calls on a device return at once, so an iteration alone has no time: each gets its part of the whole.
void spread(std::vector<double>& times, double begin, clockid_t clock, const Team& team) {
  team.wait_for_streams();
  const double calls = static_cast<double>(times.size()) * team.options().aggregated;
  std::fill(times.begin(), times.end(), (now_us(clock) - begin) / calls);
}

// What the planner knows of it; a communicator that a vendor's library carries has no plan of ours, and under another
// NCCL the function is not there.
void predict(Team& team, const Collective& collective, Row& row) {
  const auto ask = reinterpret_cast<decltype(&amalgam_predict)>(dlsym(RTLD_DEFAULT, "amalgam_predict"));
  if (ask != nullptr)
    (void)ask(team.first().comm, collective.predicted, row.count, row.type->value, &row.bound_us, &row.predicted_us);
}

// This thread's time of each iteration, per call.
std::vector<double> iterate(Team& team, const Work& work) {
  const Options& options = team.options();
  const clockid_t clock = options.cpu_time ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
  std::vector<double> times(static_cast<std::size_t>(options.iterations));
  team.barrier();
  const double begin = now_us(clock);
  double before = begin;
  for (double& time : times) {
    team.run(work);
    if (options.synchronous) team.wait_for_streams();
    const double after = now_us(clock);
    time = (after - before) / options.aggregated;
    before = after;
  }
  if (team.on_device() && !options.synchronous) spread(times, begin, clock, team);
  return times;
}

double over_ranks(Team& team, double mine) {
  switch (team.options().average) {
    case Average::kRank0: return team.agree({team.first_rank() == 0 ? mine : 0.0}, ncclSum).front();
    case Average::kMin: return team.agree({mine}, ncclMin).front();
    case Average::kMax: return team.agree({mine}, ncclMax).front();
    case Average::kMean: break;
  }
  const std::vector<double> sums = team.agree({mine, 1.0}, ncclSum);  // threads
  return sums[0] / sums[1];
}

std::uint64_t check_data(Team& team, const Work& work) {
  std::uint64_t wrong = 0;
  for (int i = 0; i < team.options().checks; ++i) {
    team.reset(work);
    team.barrier();
    // Once, whatever -m says: an in-place reduction of its own result would be another one.
    team.run_once(work);
    wrong += team.count_wrong(work);
  }
  return static_cast<std::uint64_t>(team.agree({static_cast<double>(wrong)}, ncclSum).front());
}

Timing time_and_check(Team& team, const Work& work) {
  team.reset(work);
  for (int i = 0; i < team.options().warmups; ++i) team.run(work);
  team.wait_for_streams();
  const std::vector<double> mine = iterate(team, work);
  Timing timing;
  timing.time_us = over_ranks(team, mean_of(mine));
  timing.iterations_us = team.agree(mine, ncclMax);
  timing.median_us = median_of(timing.iterations_us);
  if (team.options().checks > 0) timing.wrong = check_data(team, work);
  return timing;
}

}  // namespace

double Row::bandwidth(const Timing& timing) const {
  return timing.time_us > 0 ? static_cast<double>(bytes) / timing.time_us / 1e3 : 0;
}

std::uint64_t count_for(const Collective& collective, const Type& type, std::uint64_t bytes, int ranks) {
  const std::uint64_t elements = bytes / type.bytes;
  if (!collective.split()) return elements;
  const std::uint64_t aligned = 16 / type.bytes;  // as nccl-tests: blocks of whole 16 bytes
  return elements / static_cast<std::uint64_t>(ranks) / aligned * aligned;
}

Row measure(Team& team, const Collective& collective, Data& data, std::uint64_t bytes, int root) {
  const Type& type = data.type();
  Row row{};
  row.count = count_for(collective, type, bytes, team.ranks());
  row.bytes = row.count * type.bytes * (collective.split() ? static_cast<std::uint64_t>(team.ranks()) : 1);
  row.type = &type;
  row.op = data.op();
  row.root = root;
  Work work{collective, data, row.count, root, false};
  team.make_operation(data);
  row.out_of_place = time_and_check(team, work);
  work.in_place = true;
  if (collective.in_place) row.in_place = time_and_check(team, work);
  team.forget_operation(data);
  predict(team, collective, row);
  return row;
}

}  // namespace perf
