// Ranks killed or stopped at random operations of a random sequence of collectives, and during init.
//
// AMALGAM_TEST_SEED sets the seed, AMALGAM_TEST_CASES how many rounds of each kind; both are printed.

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <random>

#include "support/processes.h"

namespace {

using support::Process;
using support::Variables;

constexpr int kRanks = 4;

std::uint64_t option(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// "mixed": two hosts of two ranks each, as far as the ranks know.
Variables variables_of(const std::string& transports, int rank) {
  if (transports == "mixed")
    return {"AMALGAM_TRANSPORTS=shm,tcp", "AMALGAM_HOST_ID=" + std::string(rank < 2 ? "a" : "b")};
  return {"AMALGAM_TRANSPORTS=" + transports};
}

class LostRank : public ::testing::TestWithParam<const char*> {
 protected:
  void lose_one(int signal, std::uint64_t seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    auto ranks = support::start_ranks(kRanks, "random_until_error", [&](int rank) {
      Variables variables = variables_of(GetParam(), rank);
      variables.push_back("AMALGAM_TEST_SEED=" + std::to_string(seed));
      if (signal == SIGSTOP) variables.push_back("AMALGAM_SILENCE_TIMEOUT=1s");
      return variables;
    });
    const auto victim = static_cast<int>(random() % kRanks);
    const std::uint64_t round = random() % 60;
    ranks[victim].expect("round " + std::to_string(round));
    ranks[victim].signal(signal);
    for (int r = 0; r < kRanks; ++r) {
      if (r == victim) continue;
      EXPECT_EQ(ranks[r].expect("call failed").substr(0, 13), "call failed 6")
          << "rank " << r << " of victim " << victim;
      EXPECT_EQ(ranks[r].expect("async"), "async 6");
      EXPECT_EQ(ranks[r].wait(), 0);
    }
  }

  void lose_many(int signal, std::uint64_t cases) {
    const std::uint64_t seed = option("AMALGAM_TEST_SEED", 20261125);
    cases = option("AMALGAM_TEST_CASES", cases);
    std::printf("seed %llu, %llu rounds\n", static_cast<unsigned long long>(seed),
                static_cast<unsigned long long>(cases));
    for (std::uint64_t i = 0; i < cases && !HasFailure(); ++i) lose_one(signal, seed + i);
  }
};

TEST_P(LostRank, IsARemoteErrorOnAllOthersWhenKilledAtARandomOperation) { lose_many(SIGKILL, 10); }

TEST_P(LostRank, IsARemoteErrorOnAllOthersWhenStoppedAtARandomOperation) { lose_many(SIGSTOP, 3); }

TEST_P(LostRank, BetweenInitAndTheFirstCollectiveIsARemoteErrorOnAllOthers) {
  for (int victim = 0; victim < kRanks; ++victim) {
    auto ranks = support::start_ranks(kRanks, "idle", [&](int rank) { return variables_of(GetParam(), rank); });
    for (Process& rank : ranks) rank.expect("joined");
    ranks[victim].signal(SIGKILL);
    for (int r = 0; r < kRanks; ++r) {
      if (r == victim) continue;
      ranks[r].say("go");
      EXPECT_EQ(ranks[r].expect("allreduce failed").substr(0, 18), "allreduce failed 6");
      EXPECT_EQ(ranks[r].expect("async"), "async 6");
      EXPECT_EQ(ranks[r].wait(), 0);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(By, LostRank, ::testing::Values("shm,tcp", "tcp", "mixed"), [](const auto& tested) {
  const std::string name = tested.param;
  return name == "shm,tcp" ? "Shm" : name == "tcp" ? "Tcp" : "Mixed";
});

TEST(Init, NamesTheRankThatNeverCame) {
  std::vector<Process> ranks;
  for (int r = 0; r < 3; ++r) ranks.push_back(support::start_rank(r, 3, "idle", {"AMALGAM_INIT_TIMEOUT=3s"}));
  const std::string id = ranks[0].expect("id ");
  ranks[2].signal(SIGKILL);
  ranks[1].say(id);
  for (int r : {0, 1}) {
    const std::string text = ranks[r].expect("init failed");
    EXPECT_NE(text.find("rank 2"), std::string::npos) << text;
    EXPECT_EQ(ranks[r].wait(), 66);
  }
}

TEST(Init, FailsOnAllWhenOneIsKilledAtAnyMomentOfIt) {
  for (int moment = 0; moment < 10; ++moment) {
    std::vector<Process> ranks;
    for (int r = 0; r < 3; ++r) ranks.push_back(support::start_rank(r, 3, "idle", {"AMALGAM_INIT_TIMEOUT=3s"}));
    const std::string id = ranks[0].expect("id ");
    ranks[1].say(id);
    ranks[2].say(id);
    // The victim dies somewhere between reading the id and after its init: time only varies where.
    timespec pause{0, moment * 2'000'000};
    nanosleep(&pause, nullptr);
    ranks[1 + moment % 2].signal(SIGKILL);
    for (int r : {0, 2 - moment % 2}) {
      const bool joined = ranks[r].line() == "joined";
      if (joined) {
        ranks[r].say("go");
        EXPECT_EQ(ranks[r].expect("allreduce failed").substr(0, 18), "allreduce failed 6");
      }
      EXPECT_EQ(ranks[r].wait(), joined ? 0 : 66) << "rank " << r << ", moment " << moment;
    }
  }
}

}  // namespace
