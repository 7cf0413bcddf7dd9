#pragma once

// Plans of one communicator by value: collective → table of breakpoints → program of this rank, made at first use and
// kept.
//
// Threads    one at a time (the thread that launches)      Ownership  returned programs live as long as the cache

#include <array>
#include <memory>
#include <vector>

#include "base/status.h"
#include "cluster/cluster.h"
#include "engine/prepared.h"
#include "engine/request.h"
#include "plan/choose.h"

namespace amalgam::comm {

class PlanCache {
 public:
  PlanCache(const cluster::Cluster& cluster, int rank, plan::Limits limits)
      : cluster_(cluster), rank_(rank), limits_(std::move(limits)) {}

  Result<const engine::Prepared*> find(const engine::Request& request);
  Result<std::uint64_t> predict_ns(const engine::Request& request);

 private:
  struct Entry {
    std::unique_ptr<plan::PlanTable> table;
    std::vector<std::vector<std::unique_ptr<engine::Prepared>>> programs;  // [plan of the table][root]
  };
  Result<Entry*> entry(Collective collective);
  std::uint64_t bytes_of(const engine::Request& request) const;

  const cluster::Cluster& cluster_;
  int rank_;
  plan::Limits limits_;
  std::array<Entry, kCollectives> entries_;
};

}  // namespace amalgam::comm
