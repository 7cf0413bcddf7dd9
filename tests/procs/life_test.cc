// Ranks as processes that finish, exit early, disagree, get killed and get stopped.

#include <gtest/gtest.h>
#include <signal.h>

#include "support/processes.h"

namespace {

using support::Process;
using support::start_ranks;

class Transports : public ::testing::TestWithParam<const char*> {
 protected:
  std::vector<std::string> environment() const { return {std::string("AMALGAM_TRANSPORTS=") + GetParam()}; }
};

TEST_P(Transports, CarryAllSizes) {
  for (int count : {2, 3, 5}) {
    auto ranks = start_ranks(count, "sums", environment());
    for (Process& rank : ranks) rank.expect("end");
    for (Process& rank : ranks) EXPECT_EQ(rank.wait(), 0);
  }
}

TEST_P(Transports, DeliverWhatARankSentBeforeItExited) {
  auto ranks = start_ranks(3, "early_exit", environment());
  ranks[0].expect("sent");
  for (int r = 1; r < 3; ++r) ranks[r].say("go");
  for (Process& rank : ranks) EXPECT_EQ(rank.wait(), 0);
}

TEST_P(Transports, TellEverySurvivorOfAKilledRank) {
  for (int victim : {0, 1, 4}) {
    auto ranks = start_ranks(5, "until_error", environment());
    for (Process& rank : ranks) rank.expect("started");
    ranks[victim].signal(SIGKILL);
    for (int r = 0; r < 5; ++r) {
      if (r == victim) continue;
      EXPECT_NE(ranks[r].expect("allreduce failed").find("failed 6"), std::string::npos);
      EXPECT_EQ(ranks[r].expect("async"), "async 6");
      EXPECT_EQ(ranks[r].wait(), 0);
    }
  }
}

TEST_P(Transports, TellEverySurvivorOfASilentRank) {
  auto variables = environment();
  variables.push_back("AMALGAM_SILENCE_TIMEOUT=2s");
  auto ranks = start_ranks(3, "until_error", variables);
  for (Process& rank : ranks) rank.expect("started");
  ranks[1].signal(SIGSTOP);
  for (int r : {0, 2}) {
    EXPECT_NE(ranks[r].expect("allreduce failed").find("failed 6"), std::string::npos);
    EXPECT_EQ(ranks[r].wait(), 0);
  }
  ranks[1].signal(SIGKILL);
}

TEST_P(Transports, MakeADisagreementAnErrorOnAllRanks) {
  auto ranks = start_ranks(3, "mismatch", environment());
  for (Process& rank : ranks) {
    EXPECT_EQ(rank.expect("async"), "async 6");
    EXPECT_EQ(rank.wait(), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(By, Transports, ::testing::Values("shm,tcp", "tcp"));

TEST(Shrink, GoesOnWithoutTheDeadRank) {
  auto ranks = start_ranks(4, "shrink_on");
  for (Process& rank : ranks) rank.expect("started");
  ranks[3].signal(SIGKILL);
  for (int r = 0; r < 3; ++r) {
    ranks[r].expect("shrunk");
    EXPECT_EQ(ranks[r].wait(), 0);
  }
}

TEST(Fork, LeavesTheParentWorkingAndTheChildRefused) {
  auto ranks = start_ranks(2, "forks");
  for (Process& rank : ranks) {
    EXPECT_EQ(rank.expect("child"), "child 0");
    rank.expect("end");
    EXPECT_EQ(rank.wait(), 0);
  }
}

TEST(Waiting, ForALivePeerHasNoDeadline) {
  auto ranks = start_ranks(3, "held_back", {"AMALGAM_SILENCE_TIMEOUT=500ms"});
  for (Process& rank : ranks) rank.expect("entering");
  // Several times the silence timeout pass: the held rank is alive, so nobody may give up.
  EXPECT_EQ(ranks[0].line(std::chrono::seconds(3)), "");
  ranks[2].say("go");
  for (Process& rank : ranks) EXPECT_EQ(rank.wait(), 0);
}

}  // namespace
