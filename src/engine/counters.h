#pragma once

#include <cstdint>

namespace amalgam::engine {

// What the executor has done for one communicator on one rank. Equal to the plan's counts (plan::volume_of), by a test.
// Written by the thread that runs the operation, read by it or after it finished.
struct Counters {
  std::uint64_t operations = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t folded_bytes = 0;
  std::uint64_t copied_bytes = 0;
  std::uint64_t messages = 0;
};

}  // namespace amalgam::engine
