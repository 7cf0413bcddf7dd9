#pragma once

// Random plans and requests for the tests of checker and simulator: every family, small slices, so that few elements
// make every number of chunks that matters (0 or 1, 2, W, W+1, 2W+1).

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>

#include "cluster/cluster.h"
#include "plan/check.h"
#include "plan/choose.h"
#include "plan/plan.h"

namespace amalgam::plan {

struct Case {
  Plan plan;
  CheckRequest request;
  std::string text() const {
    return print(plan) + "count " + std::to_string(request.count) + " element " +
           std::to_string(request.element_bytes) + " root " + std::to_string(request.root) +
           (request.in_place ? " in place" : "");
  }
};

class Cases {
 public:
  explicit Cases(std::uint64_t seed) : random_(seed) {}

  int below(int bound) { return static_cast<int>(random_() % static_cast<std::uint64_t>(bound)); }

  // Mostly few ranks: the interesting numbers are there, and the time is in the large ones.
  int ranks() {
    const int kind = below(40);
    return kind < 32 ? 2 + below(7) : kind < 38 ? 9 + below(11) : 20 + below(45);
  }

  Case make(const std::string& family, Collective collective, int ranks) {
    Limits limits;
    Case made{build(family, collective, cluster::uniform(ranks, ranks, 2), 1 << 20, limits).take(), {}};
    Plan& plan = made.plan;
    CheckRequest& request = made.request;
    const int sizes[] = {1, 2, 4, 8};
    request.element_bytes = static_cast<std::uint64_t>(sizes[below(4)]);
    request.root = below(ranks);
    request.in_place = collective != Collective::kAllToAll && collective != Collective::kAllToAllV && below(2) == 1;
    plan.window = 1 + below(3);
    plan.slice_bytes = static_cast<std::uint32_t>(request.element_bytes) *
                       (below(2) == 1 ? 64 : 1 + static_cast<std::uint32_t>(below(100)));
    request.count = count(plan, request, ranks);
    return made;
  }

 private:
  std::uint64_t count(const Plan& plan, const CheckRequest& request, int ranks) {
    const std::uint64_t slice = plan.slice_bytes / request.element_bytes;
    const int chunks[] = {1, 2, plan.window, plan.window + 1, 2 * plan.window + 1};
    const std::uint64_t part = static_cast<std::uint64_t>(chunks[below(5)]) * slice - random_() % slice;
    const bool cut =
        std::any_of(plan.buffers.begin(), plan.buffers.end(), [](const Buffer& b) { return b.shape == Shape::kCut; });
    const std::uint64_t whole =
        cut ? part * static_cast<std::uint64_t>(ranks) - random_() % static_cast<std::uint64_t>(ranks) : part;
    const std::uint64_t special[] = {0, 1, 7};
    return below(6) == 0 ? special[below(3)] : whole;
  }

  std::mt19937_64 random_;
};

}  // namespace amalgam::plan
