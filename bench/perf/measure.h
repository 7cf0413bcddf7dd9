#pragma once

// Times and checks one size. All ranks start together (a one-element allreduce), then run back to back; the times of
// all ranks are brought together afterwards, so nothing but the collective is inside the measured loop.
//
// Threads    each team's own thread calls the same function with the same work: the functions are collective.

#include <cstdint>
#include <optional>
#include <vector>

#include "team.h"

namespace perf {

struct Timing {
  double time_us = 0;                  // mean of one call; over ranks as -a says
  double median_us = 0;                // of the slowest rank per iteration
  std::vector<double> iterations_us;   // per iteration the slowest rank, per call
  std::optional<std::uint64_t> wrong;  // elements of all ranks; empty: not checked
};

struct Row {
  std::uint64_t bytes, count;
  const Type* type;
  Op op;
  int root;
  int cycle;
  Timing out_of_place;
  std::optional<Timing> in_place;
  double bound_us, predicted_us;

  double bandwidth(const Timing& timing) const;  // GB/s
};

Row measure(Team& team, const Collective& collective, Data& data, std::uint64_t bytes, int root);

// Elements of NCCL's count argument for a size, and the size that they really are.
std::uint64_t count_for(const Collective& collective, const Type& type, std::uint64_t bytes, int ranks);

}  // namespace perf
