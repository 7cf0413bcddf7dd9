// Processes that end without having destroyed their communicator.

#include <gtest/gtest.h>

#include "support/processes.h"

namespace {

using support::Process;

class End : public ::testing::TestWithParam<const char*> {};

TEST_P(End, WithoutDestroyIsCleanAndHarmlessToRanksThatOnlyDestroy) {
  auto ranks = support::start_ranks(3, GetParam());
  for (Process& rank : ranks) rank.expect("worked");
  ranks[0].say("go");
  EXPECT_EQ(ranks[0].wait(), 0);
  for (int r : {1, 2}) {
    ranks[r].say("destroy");
    ranks[r].expect("end");
    EXPECT_EQ(ranks[r].wait(), 0);
  }
}

TEST_P(End, WithoutDestroyIsARemoteErrorToRanksThatGoOn) {
  for (const char* transports : {"AMALGAM_TRANSPORTS=shm,tcp", "AMALGAM_TRANSPORTS=tcp"}) {
    auto ranks = support::start_ranks(3, GetParam(), support::Variables{transports});
    for (Process& rank : ranks) rank.expect("worked");
    ranks[0].say("go");
    EXPECT_EQ(ranks[0].wait(), 0);
    for (int r : {1, 2}) {
      ranks[r].say("use");
      EXPECT_NE(ranks[r].expect("allreduce failed").find("failed 6"), std::string::npos);
      EXPECT_EQ(ranks[r].expect("async"), "async 6");
      EXPECT_EQ(ranks[r].wait(), 0);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(By, End, ::testing::Values("return_without_destroy", "quick_exit_without_destroy"));

TEST(Exit, WhileAnotherThreadCommunicatesIsClean) {
  for (const char* transports : {"AMALGAM_TRANSPORTS=shm,tcp", "AMALGAM_TRANSPORTS=tcp"}) {
    auto ranks = support::start_ranks(3, "exit_while_communicating", support::Variables{transports});
    for (Process& rank : ranks) rank.expect("started");
    ranks[0].say("go");
    EXPECT_EQ(ranks[0].wait(), 0);
    for (int r : {1, 2}) {
      EXPECT_NE(ranks[r].expect("allreduce failed").find("failed 6"), std::string::npos);
      EXPECT_EQ(ranks[r].wait(), 0);
    }
  }
}

}  // namespace
