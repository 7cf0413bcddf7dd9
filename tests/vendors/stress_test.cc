// Random programs over CPU ranks and devices of the stand-ins: streams of all kinds, events, kernels and copies of the
// user's before, behind and beside collectives on several communicators, alone and in groups. Every value is checked
// against what one step after another gives in plain memory.
//
// AMALGAM_TEST_CASES sets how many programs of each test (4 by default), AMALGAM_TEST_SEED the seed of the first; both
// are printed.

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

const std::vector<Place> kDevices = {{&stress::kCuda, 0}, {&stress::kCuda, 1}, {&stress::kCuda, 2}};

std::vector<Place> and_also(std::vector<Place> places, const std::vector<Place>& more) {
  places.insert(places.end(), more.begin(), more.end());
  return places;
}

// Some of them, at least two, in any order.
std::vector<Place> draw(std::vector<Place> places, std::mt19937_64& random) {
  for (std::size_t i = places.size(); i > 1; --i) std::swap(places[i - 1], places[random() % i]);
  places.resize(2 + random() % (places.size() - 1));
  return places;
}

std::vector<int> vendors_of(const std::vector<Place>& places) {
  std::vector<int> vendors;
  for (const Place& place : places)
    vendors.push_back(place.device == nullptr ? -1 : place.device == &stress::kCuda ? 0 : 1);
  return vendors;
}

void run_case(const std::vector<Place>& all, std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::vector<Place> places = draw(all, random);
  const Program program = stress::generate(random(), vendors_of(places), kSteps);
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

void run_cases(const std::vector<Place>& all) {
  const std::uint64_t seed = option("AMALGAM_TEST_SEED", 20261125), cases = option("AMALGAM_TEST_CASES", 4);
  std::printf("AMALGAM_TEST_SEED=%llu AMALGAM_TEST_CASES=%llu\n", static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(cases));
  for (std::uint64_t i = 0; i < cases && !testing::Test::HasFailure(); ++i) run_case(all, seed + i);
}

TEST(Stress, DevicesAndCpus) { run_cases(and_also(kDevices, {{}, {}})); }

#ifdef STANDIN_CUDA13
// Without CPU ranks: HIP tells for the whole process whether its first device is in use, so from here on every thread
// without a device of its own counts as one that works on that.
TEST(Stress, DevicesOfTwoVendors) { run_cases(and_also(kDevices, {{&stress::kHip, 0}, {&stress::kHip, 1}})); }
#endif

}  // namespace
