#include "plan/simulate.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "plan/cases.h"

namespace amalgam::plan {
namespace {

constexpr std::uint64_t kSeed = 77;

Plan built(const char* family, Collective collective, int ranks, int per_domain = 0) {
  Result<Plan> plan =
      build(family, collective, cluster::uniform(ranks, per_domain ? per_domain : ranks, 64), 1 << 20, {});
  EXPECT_TRUE(plan.ok());
  return plan.ok() ? plan.take() : Plan();
}

Simulation simulated(const Plan& plan, const cluster::Cluster& cluster, const CheckRequest& request) {
  Result<Simulation> result = simulate(plan, cluster, request);
  EXPECT_TRUE(result.ok()) << result.status().message();
  return result.ok() ? result.take() : Simulation();
}

TEST(Simulate, CountsOfEachRankAreThoseOfItsProgramAlone) {
  Cases cases(kSeed);
  for (const std::string& family : families(Collective::kAllReduce))
    for (int i = 0; i < 10; ++i) {
      const Case made = cases.make(family, Collective::kAllReduce, 2 + i % 7);
      const Simulation all = simulated(made.plan, cluster::uniform(made.plan.ranks, made.plan.ranks, 2), made.request);
      for (int r = 0; r < made.plan.ranks; ++r)
        EXPECT_EQ(all.volume[static_cast<std::size_t>(r)], volume_of(made.plan, r, made.request))
            << "seed " << kSeed << "\n"
            << made.text();
    }
}

TEST(Simulate, WhatIsSentIsReceived) {
  Cases cases(kSeed + 1);
  for (int c = 0; c < kCollectives; ++c) {
    const auto collective = static_cast<Collective>(c);
    for (const std::string& family : families(collective)) {
      const Case made = cases.make(family, collective, cases.ranks());
      const Simulation all = simulated(made.plan, cluster::uniform(made.plan.ranks, 2, 2), made.request);
      std::uint64_t sent = 0, received = 0;
      for (const Volume& volume : all.volume) sent += volume.sent_bytes, received += volume.received_bytes;
      EXPECT_EQ(sent, received) << made.text();
    }
  }
}

TEST(Simulate, NoPlanIsFasterThanTheBound) {
  Cases cases(kSeed + 2);
  for (int c = 0; c < kCollectives; ++c) {
    const auto collective = static_cast<Collective>(c);
    if (collective == Collective::kAllToAllV) continue;  // its bound counts other bytes than the checker's vectors
    for (const std::string& family : families(collective))
      for (int per_domain : {1, 2, 8}) {
        Case made = cases.make(family, collective, 8);
        made.plan.slice_bytes = 65536;
        made.request.count = 100'000;
        const cluster::Cluster cluster = cluster::uniform(8, per_domain, 2);
        const std::uint64_t bytes = total_bytes(collective, made.request.count, made.request.element_bytes, 8);
        EXPECT_GE(simulated(made.plan, cluster, made.request).total_ns, bound_ns(collective, cluster, bytes))
            << per_domain << "\n"
            << made.text();
      }
  }
}

TEST(Simulate, RingAllReduceMovesTwiceNMinus1OverN) {
  const std::uint64_t count = 16 * 1024;
  for (int n : {2, 4, 8}) {
    const Volume volume = volume_of(built("ring", Collective::kAllReduce, n), 1, {count, 4, 0, true});
    const std::uint64_t part = count * 4 / static_cast<std::uint64_t>(n), hops = static_cast<std::uint64_t>(n) - 1;
    EXPECT_EQ(volume.sent_bytes, 2 * hops * part);
    EXPECT_EQ(volume.received_bytes, 2 * hops * part);
    EXPECT_EQ(volume.folded_bytes, hops * part);
    EXPECT_EQ(volume.copied_bytes, 0U);
  }
}

// Within one memory the result lies where all read it, and is copied once into the caller's buffer.
TEST(Simulate, DirectAllReduceFoldsItsPartOnce) {
  const Volume volume = volume_of(built("direct", Collective::kAllReduce, 4), 2, {4096, 4, 0, false});
  EXPECT_EQ(volume, (Volume{2 * 3 * 4096, 2 * 3 * 4096, 4096, 4096, volume.messages}));
}

TEST(Simulate, CopyingInPlaceIsNoWork) {
  const Plan plan = built("ring", Collective::kAllGather, 4);
  EXPECT_EQ(volume_of(plan, 3, {1000, 4, 0, true}).copied_bytes, 0U);
  EXPECT_EQ(volume_of(plan, 3, {1000, 4, 0, false}).copied_bytes, 4000U);
}

TEST(Simulate, EqualRanksFinishEquallyWhenEachHasACore) {
  for (const char* family : {"ring", "direct"})
    for (int per_domain : {1, 8}) {
      const Simulation all = simulated(built(family, Collective::kAllReduce, 8, per_domain),
                                       cluster::uniform(8, per_domain, 64), {8 * 16384, 4, 0, true});
      for (std::uint64_t finished : all.rank_ns) EXPECT_EQ(finished, all.rank_ns[0]) << family << per_domain;
    }
}

TEST(Simulate, FewerCoresTakeLonger) {
  const Plan plan = built("ring", Collective::kAllReduce, 8);
  const CheckRequest request{1 << 18, 4, 0, true};
  const std::uint64_t many = simulated(plan, cluster::uniform(8, 8, 8), request).total_ns;
  EXPECT_GT(simulated(plan, cluster::uniform(8, 8, 2), request).total_ns, 2 * many);
}

TEST(Simulate, RefusesAClusterOfAnotherSize) {
  EXPECT_EQ(
      simulate(built("ring", Collective::kAllReduce, 4), cluster::uniform(5, 5, 1), {10, 4, 0, false}).status().code(),
      Code::kInvalidArgument);
}

TEST(Explain, NamesStagesVolumeTimeAndBound) {
  const std::string text =
      explain(built("direct", Collective::kAllReduce, 4), cluster::uniform(4, 4, 4), {65536, 4, 0, false});
  for (const char* word :
       {"allreduce.direct", "one rounding", "sends part (r+s)%N of in", "busiest rank", "lower bound", "rank x time"})
    EXPECT_NE(text.find(word), std::string::npos) << word << "\n" << text;
}

TEST(Explain, SaysWhyThereIsNothingToExplain) {
  EXPECT_NE(explain(built("ring", Collective::kAllReduce, 4), cluster::uniform(3, 3, 1), {8, 4, 0, false})
                .find("another number of ranks"),
            std::string::npos);
}

}  // namespace
}  // namespace amalgam::plan
