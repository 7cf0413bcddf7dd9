#pragma once

// A collective over several islands as calls inside the islands and exchanges between them: who takes part in which
// exchange, of which range. Each exchange has one rank of every island, its team, and runs a plan of its own for as
// many ranks as there are islands; together all ranks of all islands take part.
//
//   collective                 inside, before       parts of a chunk                          inside, after
//   allreduce reduce           reduce-scatter       the union of all islands' cuts: each       all-gather (reduce: to
//   the
//                                                   range with the rank that holds it           root of its island)
//   broadcast                  broadcast (root's)   in every island                            all-gather
//   reducescatter              reduce, block by     one for each block: its owner, and one     nothing
//   allgather                  nothing              rank of every other island, in turn        broadcast, block by
//   block
//
// Pure. Islands of one rank have no calls inside. Uneven islands are cut at the union of their cuts
// (reference/planning, section 4), so a team changes only where some island's part ends: at most (ranks - islands + 1)
// parts.

#include <cstdint>
#include <vector>

#include "base/types.h"
#include "plan/cut.h"

namespace amalgam::plan {

class Hierarchy {
 public:
  Hierarchy() = default;
  // `groups`: disjoint, by lowest rank, ranks rising; a rank that is in none of them is an island of its own.
  Hierarchy(const std::vector<std::vector<int>>& groups, int ranks);

  static bool splits(Collective collective);  // whether it has calls inside; the others go from rank to rank

  int islands() const { return static_cast<int>(islands_.size()); }
  int ranks() const { return static_cast<int>(island_of_.size()); }
  bool flat() const { return islands() == ranks(); }  // no island has two ranks
  int island_of(int rank) const { return island_of_[rank]; }
  int place_of(int rank) const { return place_of_[rank]; }  // in its island
  const std::vector<int>& members(int island) const { return islands_[island]; }
  int size_of(int island) const { return static_cast<int>(islands_[island].size()); }

  struct Part {
    std::vector<int> team;  // a rank of each island, by island
    int root = 0;           // island that has the data or gets the result; 0 for allreduce
    int block = -1;         // of collectives of blocks
    Range range;            // of the chunk, elements
  };
  // Of a chunk of `count` elements; in the order in which every rank works on them. `root`: rank of rooted collectives.
  std::vector<Part> parts(Collective collective, int root, std::uint64_t count) const;

  // What of a chunk one rank of an island holds between the calls inside: equal parts, the last one with the rest.
  Range held(int island, int place, std::uint64_t count) const;
  // The rank of the island that stands for a block of another island's rank.
  int deputy(int island, int block) const;
  // Blocks of other islands that a rank of this island stands for, at most; at least one.
  std::uint64_t most_blocks(int island) const;
  std::uint64_t multiple() const;  // of which a chunk should be: then all parts of all islands are equal

 private:
  std::vector<std::vector<int>> islands_;
  std::vector<int> island_of_, place_of_;
};

}  // namespace amalgam::plan
