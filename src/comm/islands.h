#pragma once

// Which ranks form an island, and who carries the communicator. Pure: from gathered facts alone, so all ranks agree.

#include <string>
#include <vector>

#include "comm/stack.h"

namespace amalgam::comm {

enum class Carrier {
  kHost,      // CPU ranks only: our engine
  kDelegate,  // one island of one vendor: its library, whole
  kMixed,     // several islands
};

struct Islands {
  struct Island {
    StackFacts stack;  // of its lowest rank
    std::vector<int> ranks;

    bool has_library() const { return !stack.library.empty(); }
  };
  std::vector<Island> all;  // by lowest rank

  const Island& of(int rank) const;

  Carrier carrier() const;
  std::string describe() const;            // "nvidia NCCL 22809: ranks 0-2, 5; host: rank 3"
  std::string describe_libraries() const;  // a line for each device island: which file its library is
};

// Ranks of one vendor with the same library in the same version and the same label are an island, and so are CPU ranks
// of one label; a rank without a library is an island of its own, and so is every rank labelled "alone".
Islands islands_of(const std::vector<StackFacts>& ranks);

}  // namespace amalgam::comm
