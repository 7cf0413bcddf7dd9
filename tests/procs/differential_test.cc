// Random calls against the plain oracle, as tests/ranks/random_test.cc makes between threads, between processes.
//
// AMALGAM_TEST_CASES sets how many, AMALGAM_TEST_SEED the seed; both are printed.

#include <gtest/gtest.h>

#include <cstdlib>

#include "support/processes.h"

namespace {

using support::Process;
using support::Variables;

std::string option(const char* name, const char* otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : text;
}

class RandomCalls : public ::testing::TestWithParam<const char*> {};

TEST_P(RandomCalls, BetweenProcessesGiveWhatTheOracleSays) {
  const Variables variables = {std::string("AMALGAM_TRANSPORTS=") + GetParam(),
                               "AMALGAM_TEST_SEED=" + option("AMALGAM_TEST_SEED", "20261125"),
                               "AMALGAM_TEST_CASES=" + option("AMALGAM_TEST_CASES", "200")};
  std::printf("%s %s\n", variables[1].c_str(), variables[2].c_str());
  for (int count : {2, 3, 5}) {
    auto ranks = support::start_ranks(count, "random_calls", variables);
    for (Process& rank : ranks) rank.expect("end");
    for (Process& rank : ranks) EXPECT_EQ(rank.wait(), 0);
  }
}

TEST_P(RandomCalls, BetweenProcessesOfTwoHostsGiveWhatTheOracleSays) {
  auto ranks = support::start_ranks(5, "random_calls", [](int rank) {
    return Variables{std::string("AMALGAM_TRANSPORTS=") + GetParam(),
                     std::string("NCCL_HOSTID=") + (rank % 2 == 0 ? "a" : "b"),
                     "AMALGAM_TEST_SEED=" + option("AMALGAM_TEST_SEED", "20261125"),
                     "AMALGAM_TEST_CASES=" + option("AMALGAM_TEST_CASES", "200")};
  });
  for (Process& rank : ranks) rank.expect("end");
  for (Process& rank : ranks) EXPECT_EQ(rank.wait(), 0);
}

INSTANTIATE_TEST_SUITE_P(By, RandomCalls, ::testing::Values("shm,tcp", "tcp"));

}  // namespace
