#pragma once

// What a collective defines: whose memory exists and overlaps, what is in it at first, and what each rank must hold at
// the end.

#include <cstdint>
#include <vector>

#include "base/types.h"
#include "plan/check.h"
#include "plan/unfold.h"

namespace amalgam::plan {

// The two user buffers of one rank. In place they are ranges of one memory, else each is its own.
struct Layout {
  bool shared = false;
  bool in_given = true, out_given = true;       // false: the caller may pass NULL (out: must stay untouched)
  std::uint64_t in_size = 0, out_size = 0;      // elements
  std::uint64_t in_offset = 0, out_offset = 0;  // within the shared memory
};
Layout layout_of(Collective collective, const CheckRequest& request, int ranks, int rank);

// Source and destination of an instance are the same elements of the same memory.
bool same_memory(const Actor& actor, const Layout& layout, const Instance& instance);

// Elements [first, first + count) of a rank's result.
struct Expected {
  static constexpr int kReduced = -1;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  int source = kReduced;     // kReduced: all ranks' contributions folded, else a copy of this rank's
  std::uint64_t origin = 0;  // first element in the contributors' send buffers
};
std::vector<Expected> expected_of(Collective collective, const CheckRequest& request, int ranks, int rank, int root);

}  // namespace amalgam::plan
