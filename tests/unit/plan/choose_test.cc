#include "plan/choose.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace amalgam::plan {
namespace {

constexpr std::uint64_t kSeed = 7;

const Collective kAll[] = {Collective::kAllReduce,     Collective::kReduce,    Collective::kBroadcast,
                           Collective::kReduceScatter, Collective::kAllGather, Collective::kAllToAll,
                           Collective::kAllToAllV,     Collective::kGather,    Collective::kScatter,
                           Collective::kSend,          Collective::kRecv};

cluster::Cluster random_cluster(std::mt19937_64& random) {
  const auto below = [&](std::uint64_t limit) { return random() % limit; };
  cluster::Cluster cluster;
  cluster.islands.push_back({});
  const std::uint64_t domains = 1 + below(5);
  for (std::uint64_t d = 0; d < domains; ++d)
    cluster.domains.push_back({1 + below(8), 1'000'000'000 * (1 + below(20)), 50 + below(500)});
  const std::uint64_t ranks = domains + below(20);
  for (std::uint64_t r = 0; r < ranks; ++r) {
    cluster::Rank rank{static_cast<int>(r < domains ? r : below(domains)), 0, {}};
    for (std::uint64_t i = 0; i <= below(2); ++i)
      rank.rails.push_back({"eth" + std::to_string(i), 100'000'000 * (1 + below(30)), 1'000 * (1 + below(50))});
    cluster.ranks.push_back(rank);
  }
  return cluster;
}

std::string family_at(Collective collective, const cluster::Cluster& cluster, std::uint64_t bytes) {
  auto table = PlanTable::make(collective, cluster, {});
  return table.ok() ? table->find(bytes).family : table.status().message();
}

TEST(Choose, CountsBytesAsTheHeaderSays) {
  EXPECT_EQ(total_bytes(Collective::kAllReduce, 10, 4, 8), 40u);
  EXPECT_EQ(total_bytes(Collective::kAllGather, 10, 4, 8), 320u);
  EXPECT_EQ(total_bytes(Collective::kAllToAll, 10, 4, 8), 320u);
  EXPECT_EQ(total_bytes(Collective::kSend, 10, 4, 8), 40u);
}

TEST(Choose, TwoRanksExchangeOnceAtAnySize) {
  for (std::uint64_t bytes : {0ULL, 8ULL, 65536ULL, 1ULL << 28})
    EXPECT_EQ(family_at(Collective::kAllReduce, cluster::uniform(2, 2, 2), bytes), "doubling");
}

TEST(Choose, SeveralRanksOfOneHostDoubleWhenSmallAndGoDirectWhenLarge) {
  for (int ranks : {4, 8}) {
    EXPECT_EQ(family_at(Collective::kAllReduce, cluster::uniform(ranks, ranks, 2), 8), "doubling") << ranks;
    EXPECT_EQ(family_at(Collective::kAllReduce, cluster::uniform(ranks, ranks, 2), 16 << 20), "direct") << ranks;
  }
}

TEST(Choose, RanksThatShareARailMakeARing) {
  EXPECT_EQ(family_at(Collective::kAllReduce, cluster::uniform(16, 8, 8), 256 << 20), "ring");
  EXPECT_EQ(family_at(Collective::kAllReduce, cluster::uniform(64, 1, 2), 1 << 30), "ring");
}

TEST(Choose, BroadcastIsATreeWhenSmallAndAChainWhenLarge) {
  const auto cluster = cluster::uniform(8, 1, 2);
  EXPECT_EQ(family_at(Collective::kBroadcast, cluster::uniform(64, 1, 2), 64), "tree");
  EXPECT_EQ(family_at(Collective::kBroadcast, cluster, 16 << 10), "tree");
  EXPECT_EQ(family_at(Collective::kBroadcast, cluster, 256 << 20), "chain");
}

TEST(Choose, OneRankCopies) {
  for (Collective collective : kAll) {
    if (collective == Collective::kSend || collective == Collective::kRecv) continue;
    auto table = PlanTable::make(collective, cluster::uniform(1, 1, 1), {});
    ASSERT_TRUE(table.ok());
    ASSERT_EQ(table->plans().size(), 1u);
    EXPECT_EQ(table->plans()[0].family, "local");
    EXPECT_EQ(table->plans()[0].stages.size(), 1u);
  }
}

TEST(Choose, BreakpointsRiseAndFindAgreesWithThem) {
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 30; ++round) {
    const auto cluster = random_cluster(random);
    for (Collective collective : kAll) {
      auto table = PlanTable::make(collective, cluster, {});
      ASSERT_TRUE(table.ok());
      const auto& from = table->breakpoints();
      ASSERT_EQ(from.size(), table->plans().size());
      ASSERT_EQ(from[0], 0u);
      for (std::size_t i = 0; i < from.size(); ++i) {
        if (i > 0) {
          EXPECT_LT(from[i - 1], from[i]);
          EXPECT_FALSE(table->plans()[i] == table->plans()[i - 1]);
          EXPECT_EQ(table->index(from[i] - 1), static_cast<int>(i) - 1);
        }
        EXPECT_EQ(table->index(from[i]), static_cast<int>(i));
      }
      EXPECT_EQ(table->index(~0ULL), static_cast<int>(from.size()) - 1);
    }
  }
}

TEST(Choose, TheTableHoldsTheCheapestFamily) {
  const auto cluster = cluster::uniform(6, 3, 2);
  for (Collective collective : kAll) {
    auto table = PlanTable::make(collective, cluster, {});
    ASSERT_TRUE(table.ok());
    for (std::uint64_t bytes = 1; bytes <= 1ULL << 34; bytes *= 2) {
      const std::uint64_t chosen = predict_ns(table->find(bytes), cluster, bytes);
      for (const std::string& family : families(collective))
        EXPECT_LE(chosen, predict_ns(*build(family, collective, cluster, bytes, {}), cluster, bytes))
            << name_of(collective) << " " << family << " " << bytes;
    }
  }
}

TEST(Choose, LimitsHold) {
  Limits limits;
  limits.slice_bytes = 10'000;
  limits.lane_window = 2;
  for (Collective collective : kAll) {
    auto table = PlanTable::make(collective, cluster::uniform(7, 2, 2), limits);
    ASSERT_TRUE(table.ok());
    for (const Plan& plan : table->plans()) {
      EXPECT_LE(plan.slice_bytes, 10'000u);
      EXPECT_LE(plan.window, 2);
      EXPECT_LE(plan.credits, 2);
    }
  }
}

TEST(Choose, AForcedFamilyServesTheCollectivesThatHaveIt) {
  Limits limits;
  limits.family = "ring";
  limits.force_slice = 4096;
  auto allreduce = PlanTable::make(Collective::kAllReduce, cluster::uniform(4, 4, 2), limits);
  ASSERT_TRUE(allreduce.ok());
  ASSERT_EQ(allreduce->plans().size(), 1u);
  EXPECT_EQ(allreduce->plans()[0].family, "ring");
  EXPECT_EQ(allreduce->plans()[0].slice_bytes, 4096u);
  auto gather = PlanTable::make(Collective::kGather, cluster::uniform(4, 4, 2), limits);
  ASSERT_TRUE(gather.ok());
  EXPECT_EQ(gather->plans()[0].family, "direct");
}

TEST(Choose, RefusesAFamilyThatTheCollectiveLacks) {
  EXPECT_EQ(build("ring", Collective::kGather, cluster::uniform(4, 4, 2), 1, {}).status().code(),
            Code::kInvalidArgument);
  EXPECT_EQ(build("", Collective::kAllReduce, cluster::uniform(4, 4, 2), 1, {}).status().code(),
            Code::kInvalidArgument);
}

TEST(Choose, LandingMemoryStaysBounded) {
  auto table = PlanTable::make(Collective::kReduceScatter, cluster::uniform(2000, 8, 8), {});
  ASSERT_TRUE(table.ok());
  for (const Plan& plan : table->plans()) EXPECT_NE(plan.family, "direct");
}

TEST(Bound, ThreeEqualAndOneSlowDomainMatchTheClosedForm) {
  cluster::Cluster cluster = cluster::uniform(4, 1, 1);
  for (int r = 0; r < 4; ++r)
    cluster.ranks[static_cast<std::size_t>(r)].rails[0].bytes_per_second = r < 2 ? 50'000'000 : 25'000'000;
  EXPECT_EQ(bound_ns(Collective::kAllReduce, cluster, 1'000'000), 40'000'000u);  // both terms: M/25 and 6M/150
  EXPECT_EQ(bound_ns(Collective::kBroadcast, cluster, 1'000'000), 40'000'000u);
  EXPECT_EQ(bound_ns(Collective::kAllGather, cluster, 1'000'000), 30'000'000u);
  EXPECT_EQ(bound_ns(Collective::kAllToAll, cluster, 1'000'000), 30'000'000u);
}

TEST(Bound, RanksOfADomainShareARailOfOneName) {
  cluster::Cluster cluster = cluster::uniform(4, 2, 2);
  const std::uint64_t shared = bound_ns(Collective::kAllReduce, cluster, 1 << 20);
  cluster.ranks[1].rails[0].network = cluster.ranks[3].rails[0].network = "eth1";
  EXPECT_NEAR(static_cast<double>(bound_ns(Collective::kAllReduce, cluster, 1 << 20)), static_cast<double>(shared) / 2,
              2);
}

TEST(Bound, MemoryOfOneDomainIsSharedByItsCores) {
  const cluster::Cluster cluster = cluster::uniform(4, 4, 2);                    // 10 GB/s a core
  EXPECT_EQ(bound_ns(Collective::kAllReduce, cluster, 10'000'000), 2'000'000u);  // 4·M over 2 cores
  EXPECT_EQ(bound_ns(Collective::kAllReduce, cluster::uniform(1, 1, 1), 10'000'000), 0u);
}

TEST(Bound, NoPredictionIsBelowIt) {
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 20; ++round) {
    const auto cluster = random_cluster(random);
    for (Collective collective : kAll) {
      for (const std::string& family : families(collective)) {
        for (std::uint64_t bytes : {1ULL, 4096ULL, 1ULL << 20, 1ULL << 30}) {
          const Plan plan = *build(family, collective, cluster, bytes, {});
          EXPECT_GE(predict_ns(plan, cluster, bytes), bound_ns(collective, cluster, bytes))
              << plan.name() << " " << bytes << " seed " << kSeed << "\n"
              << cluster::print(cluster);
        }
      }
    }
  }
}

}  // namespace
}  // namespace amalgam::plan
