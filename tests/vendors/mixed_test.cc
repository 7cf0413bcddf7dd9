// Communicators over CPU ranks and device ranks, on the stand-in stack: every collective against a plain computation,
// the order of streams, and what a rank that is late or gone does to the others.

#include "tests/vendors/cases.h"

#include <atomic>
#include <memory>
#include <string>

namespace {

using rig::as;
using rig::Buffer;
using rig::kCpu;
using rig::Rank;

const std::vector<std::vector<rig::Place>> kMixtures = {{0, kCpu}, {kCpu, 0, 1}, {0, 1, 2, kCpu, kCpu}, {0, 1}};

template <typename T>
void check_all(const std::vector<std::vector<rig::Place>>& mixtures, const std::vector<std::size_t>& counts) {
  const auto all_cases = rig::cases<T>();
  for (const std::vector<rig::Place>& mixture : mixtures)
    rig::run(mixture, [&](Rank& rank) {
      unsigned seed = 1;
      for (std::size_t count : counts)
        for (const auto& one_case : all_cases) rig::check_case(rank, one_case, count, seed++);
    });
}

TEST(Mixed, EveryCollectiveGivesWhatAPlainComputationGives) {
  check_all<std::int32_t>(kMixtures, {1, 3, 1000, 0});
  check_all<float>(kMixtures, {1, 17, 5001});
}

// Larger than a piece: several go through the stages at once.
TEST(Mixed, CallsOfManyPieces) { check_all<float>({{0, kCpu, 1}}, {700001}); }

TEST(Mixed, InPlace) {
  constexpr std::size_t kCount = 1000;
  rig::run({0, kCpu, 1}, [&](Rank& rank) {
    const auto blocks = static_cast<std::size_t>(rank.ranks), own = static_cast<std::size_t>(rank.rank);
    std::vector<float> data(kCount * blocks, static_cast<float>(rank.rank + 1));
    Buffer buffer(rank, data.size() * sizeof(float));
    buffer.write(data.data(), rank.stream);
    ASSERT_EQ(ncclAllReduce(buffer.at(), buffer.at(), kCount, ncclFloat, ncclSum, rank.comm, rank.stream), ncclSuccess);
    EXPECT_EQ(as<float>(buffer.read(rank.stream))[kCount - 1], 6.0F);
    buffer.write(data.data(), rank.stream);
    void* part = buffer.at(own * kCount * sizeof(float));
    ASSERT_EQ(ncclAllGather(part, buffer.at(), kCount, ncclFloat, rank.comm, rank.stream), ncclSuccess);
    const std::vector<float> got = as<float>(buffer.read(rank.stream));
    for (std::size_t b = 0; b < blocks; ++b) EXPECT_EQ(got[b * kCount + 5], static_cast<float>(b + 1));
  });
}

TEST(Mixed, MessagesInAnyOrderAndToOneself) {
  rig::run({0, kCpu, 1, 2}, [](Rank& rank) { rig::check_messages(rank, 700001); });  // several pieces
}

TEST(Mixed, UnequalBlocksToAll) { rig::run({kCpu, 0, 1}, rig::check_unequal_blocks); }

TEST(Mixed, AScalarInDeviceMemoryIsReadWhenTheOperationRuns) {
  rig::run({0, kCpu, 1}, [](Rank& rank) {
    const float factor = static_cast<float>(rank.rank + 2), value = 3;
    Buffer scalar(rank, sizeof(float)), data(rank, sizeof(float));
    ncclRedOp_t op;
    ASSERT_EQ(ncclRedOpCreatePreMulSum(&op, scalar.at(), ncclFloat, ncclScalarDevice, rank.comm), ncclSuccess);
    scalar.write(&factor, rank.stream);
    data.write(&value, rank.stream);
    ASSERT_EQ(ncclAllReduce(data.at(), data.at(), 1, ncclFloat, op, rank.comm, rank.stream), ncclSuccess);
    ASSERT_EQ(ncclRedOpDestroy(op, rank.comm), ncclSuccess);
    EXPECT_EQ(as<float>(data.read(rank.stream))[0], 3 * (2.0F + 3.0F + 4.0F));
  });
}

// A call returns when it is enqueued, and the stream stays there until all have entered.
TEST(Mixed, AStreamWaitsForARankThatIsLate) {
  std::atomic<bool> entered{false};
  rig::run({0, kCpu}, [&](Rank& rank) {
    const float mine = static_cast<float>(rank.rank + 1);
    Buffer data(rank, sizeof(float));
    data.write(&mine, rank.stream);
    if (rank.on_device()) {
      ASSERT_EQ(ncclAllReduce(data.at(), data.at(), 1, ncclFloat, ncclSum, rank.comm, rank.stream), ncclSuccess);
      EXPECT_EQ(rank.place.runtime->query(rank.stream), face::kNotReady);
      ncclResult_t asynchronous = ncclInternalError;
      EXPECT_EQ(ncclCommGetAsyncError(rank.comm, &asynchronous), ncclSuccess);
      EXPECT_EQ(asynchronous, ncclSuccess);
      entered = true;
    } else {
      while (!entered) std::this_thread::yield();
      ASSERT_EQ(ncclAllReduce(data.at(), data.at(), 1, ncclFloat, ncclSum, rank.comm, rank.stream), ncclSuccess);
    }
    EXPECT_EQ(as<float>(data.read(rank.stream))[0], 3.0F);
  });
}

// Issue order is the order of execution, whatever the streams.
TEST(Mixed, CallsOnSeveralStreamsRunInTheOrderOfIssue) {
  constexpr int kRounds = 50;
  rig::run({0, kCpu, 1}, [](Rank& rank) {
    cudaStream_t other = nullptr;
    if (rank.on_device()) {
      ASSERT_EQ(rank.place.runtime->create_stream(&other, 1), face::kSuccess);
    }
    Buffer a(rank, 4000), b(rank, 4000);
    const std::vector<std::int32_t> ones(1000, 1);
    a.write(ones.data(), rank.stream);
    b.write(ones.data(), other);
    for (int i = 0; i < kRounds; ++i) {
      Buffer& data = i % 2 == 0 ? a : b;
      cudaStream_t stream = i % 2 == 0 ? rank.stream : other;
      ASSERT_EQ(ncclAllReduce(data.at(), data.at(), 1000, ncclInt32, ncclMax, rank.comm, stream), ncclSuccess);
    }
    EXPECT_EQ(as<std::int32_t>(a.read(rank.stream)), ones);
    EXPECT_EQ(as<std::int32_t>(b.read(other)), ones);
    if (rank.on_device()) {
      EXPECT_EQ(rank.place.runtime->destroy_stream(other), face::kSuccess);
    }
  });
}

TEST(Mixed, TheNullStreamAndWorkBehindTheCall) {
  rig::run({0, kCpu}, [](Rank& rank) {
    const std::vector<std::int32_t> ones(1000, 1);
    Buffer data(rank, 4000);
    data.write(ones.data(), nullptr);
    if (rank.on_device()) {
      ASSERT_EQ(rank.place.runtime->fill32(static_cast<std::uint32_t*>(data.at()), 5, 1000, nullptr), face::kSuccess);
    }
    ASSERT_EQ(ncclAllReduce(data.at(), data.at(), 1000, ncclInt32, ncclSum, rank.comm, nullptr), ncclSuccess);
    if (rank.on_device()) {  // a kernel that must come after the result
      ASSERT_EQ(rank.place.runtime->fill32(static_cast<std::uint32_t*>(data.at()), 9, 1, nullptr), face::kSuccess);
    }
    const auto got = as<std::int32_t>(data.read(nullptr));
    EXPECT_EQ(got[0], rank.on_device() ? 9 : 6);
    EXPECT_EQ(got[999], 6);
  });
}

TEST(Mixed, HostMemoryOnADeviceRankIsRefused) {
  rig::run({0, kCpu}, [](Rank& rank) {
    float plain = 1;
    if (rank.on_device()) {
      EXPECT_EQ(ncclAllReduce(&plain, &plain, 1, ncclFloat, ncclSum, rank.comm, rank.stream), ncclInvalidArgument);
      EXPECT_NE(std::string(ncclGetLastError(nullptr)).find("host memory"), std::string::npos);
    }
  });
}

TEST(Mixed, AnAbortLetsParkedStreamsGo) {
  std::atomic<bool> aborted{false};
  rig::run(
      {0, kCpu},
      [&](Rank& rank) {
        if (!rank.on_device()) {
          while (!aborted) std::this_thread::yield();  // never calls
          EXPECT_EQ(ncclCommAbort(rank.comm), ncclSuccess);
          return;
        }
        const float one = 1;
        Buffer data(rank, sizeof(float));
        data.write(&one, rank.stream);
        ASSERT_EQ(ncclAllReduce(data.at(), data.at(), 1, ncclFloat, ncclSum, rank.comm, rank.stream), ncclSuccess);
        std::thread([&] { EXPECT_EQ(ncclCommAbort(rank.comm), ncclSuccess); }).join();
        aborted = true;
        EXPECT_EQ(rank.place.runtime->synchronize(rank.stream), face::kSuccess);  // would hang if the gate stayed shut
      },
      false);
}

TEST(Mixed, TwoCommunicatorsOnOneStreamInOppositeOrders) {
  ncclUniqueId ids[2];
  for (ncclUniqueId& id : ids) ASSERT_EQ(ncclGetUniqueId(&id), ncclSuccess);
  rig::run({0, 1}, [&](Rank& rank) {
    ncclComm_t comms[2];
    for (int c = 0; c < 2; ++c) ASSERT_EQ(ncclCommInitRank(&comms[c], 2, ids[c], rank.rank), ncclSuccess);
    const float one = 1;
    Buffer a(rank, sizeof(float)), b(rank, sizeof(float));
    a.write(&one, rank.stream);
    b.write(&one, rank.stream);
    ASSERT_EQ(ncclGroupStart(), ncclSuccess);
    for (int i = 0; i < 2; ++i) {
      const int c = rank.rank == 0 ? i : 1 - i;
      void* data = c == 0 ? a.at() : b.at();
      ASSERT_EQ(ncclAllReduce(data, data, 1, ncclFloat, ncclSum, comms[c], rank.stream), ncclSuccess);
    }
    ASSERT_EQ(ncclGroupEnd(), ncclSuccess);
    EXPECT_EQ(as<float>(a.read(rank.stream))[0], 2.0F);
    EXPECT_EQ(as<float>(b.read(rank.stream))[0], 2.0F);
    for (ncclComm_t comm : comms) EXPECT_EQ(ncclCommDestroy(comm), ncclSuccess);
  });
}

}  // namespace
