// Random programs over CPU ranks and devices of the stand-ins: streams of all kinds, events, kernels and copies of the
// user's before, behind and beside collectives on several communicators, alone and in groups. Every value is checked
// against what one step after another gives in plain memory.
//
// AMALGAM_TEST_CASES sets how many programs (4 by default), AMALGAM_TEST_SEED the seed of the first; both are printed.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "tests/vendors/stress/rank.h"

namespace {

using stress::Place;
using stress::Program;

constexpr std::size_t kSteps = 60;

std::uint64_t option(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// A thread has no way to say that it does not work on HIP's first device when another thread of the process does: where
// there is one, no rank is a CPU rank.
std::vector<Place> all_places(std::mt19937_64& random) {
  std::vector<Place> places = {{&stress::kCuda, 0}, {&stress::kCuda, 1}, {&stress::kCuda, 2}};
#ifdef STANDIN_CUDA13
  if (random() % 2 == 0) {
    places.push_back({&stress::kHip, 0});
    places.push_back({&stress::kHip, 1});
    return places;
  }
#endif
  places.push_back({});
  places.push_back({});
  return places;
}

// Some of the places, at least two, in any order.
std::vector<Place> draw_places(std::mt19937_64& random) {
  std::vector<Place> places = all_places(random);
  for (std::size_t i = places.size(); i > 1; --i) std::swap(places[i - 1], places[random() % i]);
  places.resize(2 + random() % (places.size() - 1));
  return places;
}

// The ranks of each vendor, whose library carries what they do alone.
std::vector<std::vector<std::size_t>> vendors_of(const std::vector<Place>& places) {
  std::vector<std::vector<std::size_t>> parts;
  for (const Place& one : places) {
    std::vector<std::size_t> part;
    for (std::size_t r = 0; r < places.size(); ++r)
      if (places[r].device == one.device && one.device != nullptr) part.push_back(r);
    if (part.size() > 1 && std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(part);
  }
  return parts;
}

void run_case(std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::vector<Place> places = draw_places(random);
  const Program program = stress::generate(random(), places.size(), vendors_of(places), kSteps);
  std::printf("seed %llu: %zu ranks, %zu communicators, buffers of %zu\n", static_cast<unsigned long long>(seed),
              program.ranks, program.comms.size(), program.elements);
  std::fflush(stdout);
  ncclUniqueId id;
  ASSERT_EQ(ncclGetUniqueId(&id), ncclSuccess);
  std::vector<std::thread> threads;
  for (std::size_t r = 0; r < places.size(); ++r)
    threads.emplace_back([&, r] { stress::Rank(program, r, places[r]).run(id); });
  for (std::thread& thread : threads) thread.join();
}

TEST(Stress, RandomProgramsGiveWhatOneStepAfterAnotherGives) {
  const std::uint64_t seed = option("AMALGAM_TEST_SEED", 20261125), cases = option("AMALGAM_TEST_CASES", 4);
  std::printf("AMALGAM_TEST_SEED=%llu AMALGAM_TEST_CASES=%llu\n", static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(cases));
  for (std::uint64_t i = 0; i < cases && !HasFailure(); ++i) run_case(seed + i);
}

}  // namespace
