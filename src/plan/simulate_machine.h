#pragma once

// Discrete events: every instance of every rank on the resources that it needs, list-scheduled in the order in which
// instances become possible (ties by rank and stage). Integer nanoseconds; deterministic.
//
// The model. A rank is one thread: copies, folds, and sends and receives through memory take it for bytes / memory
// speed, one after another, and they also take one of the domain's cores; a sum folds N−1 times. A message through
// memory arrives the domain's latency after the sender stored it. A message between domains takes a rail of the sender
// and the receiver, both for bytes / the slower speed, and arrives the larger latency later; rails are full duplex,
// ranks of one domain share a rail of one name, and the slices of a lane go round the pair's rails. A lane has as many
// slots as the plan has credits (0 credits: as many as its window), so a send waits for the receive that far back.
//
// Threads: one.

#include <cstdint>
#include <map>
#include <queue>
#include <string>
#include <tuple>
#include <vector>

#include "base/status.h"
#include "cluster/cluster.h"
#include "plan/check_outcome.h"
#include "plan/simulate.h"
#include "plan/unfold.h"

namespace amalgam::plan {

using Time = std::uint64_t;  // ns

struct Timed {  // one instance's place in time
  Time begin = 0;
  Time end = 0;
};

class Simulator {
 public:
  Simulator(const Unfolded& all, const cluster::Cluster& cluster);
  Status run();
  Time finished(int actor) const;
  const std::vector<std::vector<Timed>>& times(int actor) const {
    return ranks_[static_cast<std::size_t>(actor)].times;
  }

 private:
  struct Rank {
    Layout layout;
    std::vector<std::vector<Timed>> times;  // per stage, instances that ran
    std::vector<char> waiting;              // per stage: its next instance is in the queue
    std::vector<std::vector<int>> waiters;
    Time cpu_free = 0;
  };
  struct Rail {
    std::uint64_t bytes_per_second = 1, latency_ns = 0;
    Time send_free = 0, receive_free = 0;
  };
  struct Ready {
    Time at;
    int actor, stage;
    auto operator<=>(const Ready&) const = default;  // NOLINT(modernize-use-nullptr): there is no pointer
  };

  void consider(int actor, int stage);
  bool possible(int actor, int stage, const Instance& instance, Time* at) const;
  bool lane_allows(const Actor& actor, const Stage& stage, const Instance& instance, Time* at) const;
  void execute(const Ready& ready);
  Timed work(int actor, Time at, std::uint64_t bytes);
  Timed transfer(const Instance& instance, Time at, std::uint64_t bytes);
  Timed place(int actor, const Stage& stage, const Instance& instance, Time at);
  Rail* rail(int rank, std::size_t index);
  bool by_memory(int a, int b) const;
  const cluster::Domain& domain(int rank) const;

  const Unfolded& all_;
  const cluster::Cluster& cluster_;
  std::vector<Rank> ranks_;
  std::vector<std::vector<Time>> arrivals_;            // per lane and position
  std::map<std::pair<int, std::string>, Rail> rails_;  // per domain and network
  std::vector<std::vector<Time>> cores_;               // per domain: when each core is free
  std::priority_queue<Ready, std::vector<Ready>, std::greater<>> queue_;
};

}  // namespace amalgam::plan
