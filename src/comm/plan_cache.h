#pragma once

// Plans of one communicator by value: collective → table of breakpoints → program of this rank, made at first use and
// kept.
//
// With `fp32_wire` a reduction of 16- or 8-bit floats whose plan would round at every hop is carried in fp32: it then
// runs the plan for that many bytes. All of it follows from agreed values, so all ranks decide alike.
//
// Threads    one at a time (the thread that launches)      Ownership  returned programs live as long as the cache

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "base/request.h"
#include "base/status.h"
#include "cluster/cluster.h"
#include "engine/prepared.h"
#include "plan/choose.h"

namespace amalgam::comm {

class PlanCache {
 public:
  PlanCache(const cluster::Cluster& cluster, int rank, plan::Limits limits, bool fp32_wire)
      : cluster_(cluster), rank_(rank), limits_(std::move(limits)), fp32_wire_(fp32_wire) {}

  struct Found {
    const engine::Prepared* program;
    bool fp32;  // carried in fp32
  };
  Result<Found> find(const Request& request);
  Result<std::uint64_t> predict_ns(const Request& request);
  // "allreduce doubling, direct from 32768 bytes", for people. Makes a table of its own, so any thread may ask.
  std::string describe(Collective collective) const;

 private:
  struct Entry {
    std::unique_ptr<plan::PlanTable> table;
    std::vector<std::vector<std::unique_ptr<engine::Prepared>>> programs;  // [plan of the table][root]
  };
  struct Place {  // of a call's plan
    Entry* entry;
    std::uint64_t bytes;
    bool fp32;
  };
  Result<Entry*> entry(Collective collective);
  Result<Place> place(const Request& request);
  std::uint64_t bytes_of(const Request& request, std::uint64_t element_bytes) const;

  const cluster::Cluster& cluster_;
  int rank_;
  plan::Limits limits_;
  bool fp32_wire_;
  std::array<Entry, kCollectives> entries_;
};

}  // namespace amalgam::comm
