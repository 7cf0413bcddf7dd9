// Random calls against the plain oracle: collectives, types, operations, counts, roots, groups of calls, splits and
// messages.
//
// AMALGAM_TEST_CASES sets how many (120 by default), AMALGAM_TEST_SEED the seed; both are printed.

#include <cstdlib>

#include "support/random_calls.h"

namespace {

using support::Rank;

std::uint64_t option(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(Random, CallsGiveWhatTheOracleSays) {
  const std::uint64_t seed = option("AMALGAM_TEST_SEED", 20261125), cases = option("AMALGAM_TEST_CASES", 120);
  std::printf("seed %llu, %llu cases a communicator\n", static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(cases));
  for (int ranks : {2, 3, 4, 6, 7}) {
    support::run_ranks(ranks, [&](const Rank& self) {
      support::run_random_calls(self, seed + static_cast<std::uint64_t>(ranks), cases);
    });
  }
}

}  // namespace
