#pragma once

// What a planner family is: the collectives it knows, the text of its plans, the terms of its cost. Private to
// src/plan.
//
// A family writes a plan in the plan's own text form: what the file says is what `plan show` prints. The text may
// depend on N (stages that would have no instances are left out), never on the rank or the root.

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "base/types.h"
#include "plan/cost.h"
#include "plan/plan.h"

namespace amalgam::plan {

// The numbers that fill a plan's head.
struct Mold {
  Collective collective = Collective::kAllReduce;
  int ranks = 1;
  std::uint32_t slice = 65536;
  int window = 2;
  bool shared = false;  // every rank reads every other's memory, so one copy of a slice serves all of them
};

// A question about time: a mold, a cluster and a size. Bytes as total_bytes() counts them.
struct Question {
  const Fabric& fabric;
  Collective collective;
  std::uint64_t bytes;
  std::uint64_t slice;
  int window;

  std::uint64_t n() const { return static_cast<std::uint64_t>(fabric.ranks()); }
  std::uint64_t slices(std::uint64_t part) const {
    return std::max<std::uint64_t>(1, part / slice + (part % slice != 0));
  }
  // Work beyond the copy: on a wire a folded slice is received into staging and read again, while a moved one is
  // received where it belongs.
  std::uint64_t staged(std::uint64_t folded) const { return fabric.has_wire() ? folded : 0; }
  std::uint64_t first_slice(std::uint64_t part) const { return std::min(part, slice); }
};

// The sum of cost.h, before work becomes time.
struct Terms {
  std::uint64_t latency_ns = 0;
  std::uint64_t messages = 0;  // beyond those in latency
  std::uint64_t wire_ns = 0;
  std::uint64_t busiest = 0;  // bytes of work
  std::uint64_t total = 0;
  std::uint64_t landing = 0;  // bytes of scratch per rank
};

struct Family {
  const char* name;
  bool pipelined;  // slices pass through several ranks: their size matters
  bool (*exists)(Collective collective);
  Plan (*plan)(const Mold& mold);
  Terms (*terms)(const Question& question);
};

// The head and the end around a family's lines.
class Draft {
 public:
  Draft(const char* family, const Mold& mold, Order order, int credits = 0, bool wide = false);

  template <typename... Pieces>
  Draft& line(const Pieces&... pieces) {
    ((text_ += pieces), ...);
    text_ += '\n';
    return *this;
  }
  Plan finish() &&;  // the lines are right: an error in them is ours and asserts

 private:
  std::string text_;
};

std::span<const Family* const> all_families();  // in order of preference among equals

Plan local_plan(const Mold& mold);  // one rank: a copy

// Several senders at one receiver lose a quarter of the wire (switch buffers, TCP's recovery).
inline std::uint64_t incast(const Question& question, std::uint64_t wire_ns) {
  return question.n() > 2 && question.fabric.switched() ? wire_ns / 3 * 4 : wire_ns;
}

extern const Family kDoubling, kDirect, kRing, kTree, kChain, kPairwise, kPair;

}  // namespace amalgam::plan
