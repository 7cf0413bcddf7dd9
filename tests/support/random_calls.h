#pragma once

// Random calls against the plain oracle: collectives, types, operations, counts, roots, groups of calls, splits and
// messages.
//
// All ranks draw the same from the same seed. Failures are gtest's (non-fatal where other ranks depend on the calls to
// come).

#include <cstdint>
#include <random>

#include "support/harness.h"
#include "support/oracle.h"

namespace support {

Case random_case(std::mt19937_64& random, int ranks);
void run_random_calls(const Rank& self, std::uint64_t seed, std::uint64_t calls);

}  // namespace support
