// Decorated transports across processes: delays and refusals by a seed, a limited rate, a trace.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/processes.h"

namespace {

using support::Process;
using support::Variables;

void expect_right(const std::string& scenario, const Variables& variables) {
  auto ranks = support::start_ranks(3, scenario, variables);
  for (Process& rank : ranks) rank.expect("end");
  for (Process& rank : ranks) EXPECT_EQ(rank.wait(), 0);
}

class Faults : public ::testing::TestWithParam<const char*> {};

TEST_P(Faults, ThatOnlyDelayChangeNoResult) {
  for (const char* schedule : {"random@1:10", "random@2:60", "send@0:9,receive@1:5,random@3:30"})
    for (const char* scenario : {"sums", "random_calls"})
      expect_right(scenario,
                   {std::string("AMALGAM_TRANSPORTS=") + GetParam(), std::string("AMALGAM_FAULTS=") + schedule,
                    "AMALGAM_TEST_BYTES=400000", "AMALGAM_TEST_CASES=25"});
}

INSTANTIATE_TEST_SUITE_P(By, Faults, ::testing::Values("faults:shm,faults:tcp", "faults:tcp"));

TEST(Faults, ThatBreakALaneAreAnErrorOnAllRanks) {
  auto ranks = support::start_ranks(3, "until_error", [](int rank) {
    return Variables{"AMALGAM_TRANSPORTS=faults:shm", rank == 1 ? "AMALGAM_FAULTS=fail-send@40" : "AMALGAM_FAULTS="};
  });
  for (Process& rank : ranks) {
    rank.expect("allreduce failed");
    rank.expect("async");
    EXPECT_EQ(rank.wait(), 0);
  }
}

TEST(Rate, OfAllTransportsChangesNoResult) {
  expect_right("sums", {"AMALGAM_TRANSPORTS=rate:shm,rate:tcp", "AMALGAM_RATE=200M", "AMALGAM_TEST_BYTES=1000000"});
}

TEST(Trace, TellsWhatWasSent) {
  const auto path = std::filesystem::temp_directory_path() / ("amalgam-trace-" + std::to_string(getpid()));
  expect_right("sums", {"AMALGAM_TRANSPORTS=trace:shm,trace:tcp", "AMALGAM_TRACE_FILE=" + path.string(),
                        "AMALGAM_TEST_BYTES=1000000"});
  EXPECT_TRUE(std::filesystem::exists(path));
  std::error_code none;
  EXPECT_GT(std::filesystem::file_size(path, none), 0U);
  std::filesystem::remove(path);
}

}  // namespace
