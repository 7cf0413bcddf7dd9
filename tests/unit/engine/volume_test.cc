// There is no data path but the plan: what the executor moved and folded equals the plan's own counts, for every
// family.

#include "cluster/cluster.h"
#include "plan/choose.h"
#include "plan/simulate.h"
#include "unit/engine/world.h"

namespace amalgam::engine {
namespace {

constexpr Collective kAll[] = {Collective::kAllReduce,     Collective::kReduce,    Collective::kBroadcast,
                               Collective::kReduceScatter, Collective::kAllGather, Collective::kAllToAll,
                               Collective::kGather,        Collective::kScatter};

plan::Volume counted(const Counters& counters) {
  return {counters.sent_bytes, counters.received_bytes, counters.folded_bytes, counters.copied_bytes,
          counters.messages};
}

// `fp32`: a call on half that is carried in fp32, in place in memory of the executor's.
void check_volumes(const plan::Plan& plan, int ranks, std::uint64_t count, int root, bool fp32 = false) {
  with_ranks(ranks, [&](int rank, TestRank& self) {
    const std::size_t largest = count * static_cast<std::size_t>(ranks) + 1;
    std::vector<float> in(largest, 1), out(largest, 0);
    Request request;
    request.collective = plan.collective;
    request.in = in.data();
    request.out = out.data();
    request.count = count;
    request.root = root;
    if (fp32) request.type = DataType::kFloat16;
    const Status status = self.run(plan, request, fp32);
    ASSERT_TRUE(status.ok()) << status.message();
    const plan::Volume want = plan::volume_of(plan, rank, {count, 4, root, fp32});
    const plan::Volume got = counted(self.counters());
    EXPECT_TRUE(got == want) << plan.name() << (fp32 ? " in fp32" : "") << " ranks " << ranks << " count " << count
                             << " rank " << rank << ": sent " << got.sent_bytes << "/" << want.sent_bytes
                             << " received " << got.received_bytes << "/" << want.received_bytes << " folded "
                             << got.folded_bytes << "/" << want.folded_bytes << " copied " << got.copied_bytes << "/"
                             << want.copied_bytes << " messages " << got.messages << "/" << want.messages;
  });
}

TEST(Executor, MovesAndFoldsExactlyWhatThePlanCounts) {
  for (int ranks : {2, 3, 5, 8}) {
    const cluster::Cluster cluster = cluster::uniform(ranks, ranks, 2);
    for (Collective collective : kAll) {
      for (const std::string& family : plan::families(collective)) {
        plan::Limits limits;
        limits.force_slice = 4096;
        auto plan = plan::build(family, collective, cluster, 100'000, limits);
        if (!plan.ok()) continue;  // this family is not for this many ranks
        for (std::uint64_t count : {std::uint64_t{1}, std::uint64_t{1000}, std::uint64_t{20'011}})
          for (bool fp32 : {false, true})
            if (!fp32 || reduces(collective)) check_volumes(*plan, ranks, count, ranks - 1, fp32);
      }
    }
  }
}

TEST(Executor, AddsWhatEachRankGave) {
  auto plan = plan::build("ring", Collective::kAllReduce, cluster::uniform(3, 3, 2), 1000, {});
  ASSERT_TRUE(plan.ok());
  with_ranks(3, [&](int rank, TestRank& self) {
    std::vector<float> data(777, static_cast<float>(rank + 1));
    Request request;
    request.in = request.out = data.data();
    request.count = data.size();
    ASSERT_TRUE(self.run(*plan, request).ok());
    for (float value : data) ASSERT_EQ(value, 6);
  });
}

}  // namespace
}  // namespace amalgam::engine
