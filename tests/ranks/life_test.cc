// The life of communicators: split, shrink, revoke, finalize, abort, non-blocking, several at once.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <limits>
#include <mutex>

#include "support/harness.h"

namespace {

using support::Rank;
using support::settle;

void expect_sum(ncclComm_t comm, std::size_t count) {
  int rank = -1, ranks = 0;
  NCCL_OK(ncclCommUserRank(comm, &rank));
  NCCL_OK(ncclCommCount(comm, &ranks));
  std::vector<int> in(count, rank + 1), out(count);
  NCCL_OK(ncclAllReduce(in.data(), out.data(), count, ncclInt32, ncclSum, comm, nullptr));
  for (int value : out) ASSERT_EQ(value, ranks * (ranks + 1) / 2);
}

TEST(Split, MakesWorkingHalvesAndKeepsTheParent) {
  support::run_ranks(6, [](const Rank& self) {
    ncclComm_t half = nullptr;
    NCCL_OK(ncclCommSplit(self.comm, self.rank % 2, self.ranks - self.rank, &half, nullptr));
    int rank = -1;
    NCCL_OK(ncclCommUserRank(half, &rank));
    EXPECT_EQ(rank, 2 - self.rank / 2);
    expect_sum(half, 10'000);
    expect_sum(self.comm, 10'000);
    ncclComm_t again = nullptr;
    NCCL_OK(ncclCommSplit(half, 0, 0, &again, nullptr));
    expect_sum(again, 5);
    NCCL_OK(ncclCommDestroy(again));
    NCCL_OK(ncclCommDestroy(half));
  });
}

TEST(Shrink, LeavesOutTheExcludedRanksWithoutThem) {
  support::run_ranks(5, [](const Rank& self) {
    int excluded[] = {3, 0};
    if (self.rank == 0 || self.rank == 3) return;
    ncclComm_t smaller = nullptr;
    NCCL_OK(ncclCommShrink(self.comm, excluded, 2, &smaller, nullptr, NCCL_SHRINK_DEFAULT));
    expect_sum(smaller, 1000);
    NCCL_OK(ncclCommDestroy(smaller));
  });
}

TEST(Finalize, EndsTheUseOfACommunicator) {
  support::run_ranks(2, [](const Rank& self) {
    expect_sum(self.comm, 10);
    NCCL_OK(ncclCommFinalize(self.comm));
    int value = 0;
    EXPECT_NE(ncclAllReduce(&value, &value, 1, ncclInt32, ncclSum, self.comm, nullptr), ncclSuccess);
    EXPECT_EQ(ncclCommFinalize(self.comm), ncclInvalidArgument);
  });
}

TEST(Revoke, RefusesNewWorkAndLetsTheRanksSplit) {
  support::run_ranks(3, [](const Rank& self) {
    expect_sum(self.comm, 10);
    NCCL_OK(ncclCommRevoke(self.comm, 0));
    int value = 0;
    EXPECT_EQ(ncclAllReduce(&value, &value, 1, ncclInt32, ncclSum, self.comm, nullptr), ncclInvalidUsage);
    EXPECT_EQ(ncclCommRevoke(self.comm, 0), ncclInvalidArgument);
    ncclComm_t fresh = nullptr;
    NCCL_OK(ncclCommSplit(self.comm, 0, self.rank, &fresh, nullptr));
    expect_sum(fresh, 100);
    NCCL_OK(ncclCommDestroy(fresh));
  });
}

TEST(Abort, FreesAThreadThatWaitsForAPeer) {
  ncclUniqueId id;
  NCCL_OK(ncclGetUniqueId(&id));
  std::atomic<bool> waiting{false};
  ncclComm_t comms[2] = {};
  std::thread other([&] { NCCL_OK(ncclCommInitRank(&comms[1], 2, id, 1)); });
  NCCL_OK(ncclCommInitRank(&comms[0], 2, id, 0));
  other.join();
  std::thread stuck([&] {
    float value = 0;
    waiting = true;
    EXPECT_NE(ncclAllReduce(&value, &value, 1, ncclFloat32, ncclSum, comms[0], nullptr), ncclSuccess);
  });
  while (!waiting) std::this_thread::yield();
  const auto start = std::chrono::steady_clock::now();
  NCCL_OK(ncclCommAbort(comms[0]));
  stuck.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10)) << "bounded: it would wait for ever";
  EXPECT_EQ(settle(comms[1]), ncclRemoteError) << "an abort reaches the other ranks";
  NCCL_OK(ncclCommAbort(comms[1]));
}

TEST(Abort, FreesAnInitThatWaitsForAPeer) {
  ncclUniqueId id;
  NCCL_OK(ncclGetUniqueId(&id));
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  ncclComm_t comm = nullptr;
  EXPECT_EQ(ncclCommInitRankConfig(&comm, 2, id, 0, &config), ncclInProgress);
  ASSERT_NE(comm, nullptr);
  float value = 0;
  EXPECT_EQ(ncclAllReduce(&value, &value, 1, ncclFloat32, ncclSum, comm, nullptr), ncclInvalidArgument);
  NCCL_OK(ncclCommAbort(comm));
}

// Rank 0 alone shrinks the communicator to two ranks: its child waits for rank 1, which never comes.
TEST(Abort, OfTheParentEndsANonBlockingShrinkThatWaitsForAPeer) {
  ncclUniqueId id;
  NCCL_OK(ncclGetUniqueId(&id));
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  ncclComm_t comms[3] = {};
  for (int rank = 0; rank < 3; ++rank) {
    const ncclResult_t started = ncclCommInitRankConfig(&comms[rank], 3, id, rank, &config);
    ASSERT_TRUE(started == ncclInProgress || started == ncclSuccess);
  }
  for (ncclComm_t comm : comms) ASSERT_EQ(settle(comm), ncclSuccess);
  ncclComm_t child = nullptr;
  int excluded[] = {2};
  EXPECT_EQ(ncclCommShrink(comms[0], excluded, 1, &child, nullptr, NCCL_SHRINK_DEFAULT), ncclInProgress);
  const auto start = std::chrono::steady_clock::now();
  NCCL_OK(ncclCommAbort(comms[0]));  // waits for the thread that joins
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30)) << "it would wait for init's time-out";
  EXPECT_EQ(child, nullptr);
  EXPECT_EQ(settle(comms[1]), ncclRemoteError);
  for (int rank : {1, 2}) NCCL_OK(ncclCommAbort(comms[rank]));
}

TEST(Abort, EndsADestroyThatWaitsForAPeer) {
  ncclComm_t comms[2];
  NCCL_OK(ncclCommInitAll(comms, 2, nullptr));
  int value = 1;
  NCCL_OK(ncclSend(&value, 1, ncclInt32, 1, comms[0], nullptr));  // which nobody takes
  std::thread destroying([&] {
    const ncclResult_t destroyed = ncclCommDestroy(comms[0]);
    EXPECT_TRUE(destroyed == ncclSuccess || destroyed == ncclInvalidArgument) << destroyed;  // or the abort was first
  });
  const ncclResult_t aborted = ncclCommAbort(comms[0]);
  EXPECT_TRUE(aborted == ncclSuccess || aborted == ncclInvalidArgument) << aborted;
  destroying.join();
  NCCL_OK(ncclCommAbort(comms[1]));
}

TEST(Abort, OfNothingSucceeds) {
  NCCL_OK(ncclCommAbort(nullptr));
  NCCL_OK(ncclCommDestroy(nullptr));
}

TEST(NonBlocking, RunsInitWorkSplitAndFinalizeBehindTheCaller) {
  support::run_nonblocking_ranks(3, [](const Rank& self) {
    std::vector<int> in(200'000, self.rank), out(200'000), out2(200'000);
    const ncclResult_t issued = ncclAllReduce(in.data(), out.data(), in.size(), ncclInt32, ncclSum, self.comm, nullptr);
    ASSERT_TRUE(issued == ncclInProgress || issued == ncclSuccess);
    const ncclResult_t second =
        ncclAllReduce(in.data(), out2.data(), in.size(), ncclInt32, ncclMax, self.comm, nullptr);
    ASSERT_TRUE(second == ncclInProgress || second == ncclSuccess);
    ASSERT_EQ(settle(self.comm), ncclSuccess);
    for (int value : out) ASSERT_EQ(value, 3);
    for (int value : out2) ASSERT_EQ(value, 2);
    ncclComm_t half = nullptr;
    const ncclResult_t split = ncclCommSplit(self.comm, 0, -self.rank, &half, nullptr);
    ASSERT_TRUE(split == ncclInProgress || split == ncclSuccess);
    ASSERT_EQ(settle(self.comm), ncclSuccess);
    ASSERT_NE(half, nullptr);
    int place = -1;
    NCCL_OK(ncclCommUserRank(half, &place));
    EXPECT_EQ(place, 2 - self.rank);
    const ncclResult_t finalized = ncclCommFinalize(self.comm);
    ASSERT_TRUE(finalized == ncclInProgress || finalized == ncclSuccess);
    ASSERT_EQ(settle(self.comm), ncclSuccess);
    NCCL_OK(ncclCommDestroy(half));
  });
}

// One thread drives both ranks, so a finalize that waited for the peer would wait for ever.
TEST(NonBlocking, FinalizeReturnsBeforePeersHaveTakenWhatWasSent) {
  ncclUniqueId id;
  NCCL_OK(ncclGetUniqueId(&id));
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  ncclComm_t comms[2] = {};
  for (int rank = 0; rank < 2; ++rank) {
    const ncclResult_t started = ncclCommInitRankConfig(&comms[rank], 2, id, rank, &config);
    ASSERT_TRUE(started == ncclInProgress || started == ncclSuccess);
  }
  for (ncclComm_t comm : comms) ASSERT_EQ(settle(comm), ncclSuccess);
  const std::vector<int> sent(1'000'000, 7);
  std::vector<int> received(sent.size());
  const ncclResult_t sending = ncclSend(sent.data(), sent.size(), ncclInt32, 1, comms[0], nullptr);
  ASSERT_TRUE(sending == ncclInProgress || sending == ncclSuccess);
  ASSERT_EQ(ncclCommFinalize(comms[0]), ncclInProgress);
  EXPECT_EQ(ncclCommFinalize(comms[0]), ncclInvalidArgument) << "a second time";
  const ncclResult_t receiving = ncclRecv(received.data(), sent.size(), ncclInt32, 0, comms[1], nullptr);
  ASSERT_TRUE(receiving == ncclInProgress || receiving == ncclSuccess);
  for (ncclComm_t comm : comms) EXPECT_EQ(settle(comm), ncclSuccess);
  EXPECT_EQ(received, sent);
  for (ncclComm_t comm : comms) NCCL_OK(ncclCommDestroy(comm));
}

TEST(NonBlocking, AndBlockingCommunicatorsInOneGroupAreRefused) {
  ncclUniqueId ids[2];
  NCCL_OK(ncclGetUniqueId(&ids[0]));
  NCCL_OK(ncclGetUniqueId(&ids[1]));
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  ncclComm_t blocking = nullptr, background = nullptr;
  NCCL_OK(ncclCommInitRank(&blocking, 1, ids[0], 0));
  const ncclResult_t started = ncclCommInitRankConfig(&background, 1, ids[1], 0, &config);
  ASSERT_TRUE(started == ncclInProgress || started == ncclSuccess);
  ASSERT_EQ(settle(background), ncclSuccess);
  int in = 1, out = 0;
  NCCL_OK(ncclGroupStart());
  NCCL_OK(ncclAllReduce(&in, &out, 1, ncclInt32, ncclSum, blocking, nullptr));
  EXPECT_NE(ncclAllReduce(&in, &out, 1, ncclInt32, ncclSum, background, nullptr), ncclInternalError);
  EXPECT_EQ(ncclGroupEnd(), ncclInvalidArgument);
  NCCL_OK(ncclCommDestroy(background));
  NCCL_OK(ncclCommDestroy(blocking));
}

TEST(Communicators, OfOneProcessRunFromDifferentThreadsAtOnce) {
  support::run_ranks(3, [](const Rank& self) {
    ncclComm_t second = nullptr;
    NCCL_OK(ncclCommSplit(self.comm, 0, self.rank, &second, nullptr));
    // The two communicators' operations meet in no common order.
    std::thread other([&] {
      for (int i = 0; i < 200; ++i) expect_sum(second, 1 + static_cast<std::size_t>(i) * 37);
    });
    for (int i = 0; i < 200; ++i) expect_sum(self.comm, 1 + static_cast<std::size_t>(i) * 53);
    other.join();
    NCCL_OK(ncclCommDestroy(second));
  });
}

TEST(Memory, FromMemAllocIsReducedInPlaceWhereItLies) {
  support::run_ranks(3, [](const Rank& self) {
    const std::size_t count = 3'000'000;
    float* data = nullptr;
    void* handle = nullptr;
    ncclWindow_t window = nullptr;
    NCCL_OK(ncclMemAlloc(reinterpret_cast<void**>(&data), count * sizeof(float)));
    NCCL_OK(ncclCommRegister(self.comm, data, count * sizeof(float), &handle));
    NCCL_OK(ncclCommWindowRegister(self.comm, data, count * sizeof(float), &window, NCCL_WIN_COLL_SYMMETRIC));
    EXPECT_NE(window, nullptr);
    for (int round = 0; round < 3; ++round) {
      for (std::size_t i = 0; i < count; ++i) data[i] = static_cast<float>(self.rank + static_cast<int>(i % 100));
      NCCL_OK(ncclAllReduce(data, data, count, ncclFloat32, ncclSum, self.comm, nullptr));
      for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(data[i], 3.0F + 3.0F * static_cast<float>(i % 100));
    }
    NCCL_OK(ncclCommWindowDeregister(self.comm, window));
    EXPECT_EQ(ncclCommWindowDeregister(self.comm, window), ncclInvalidArgument);
    NCCL_OK(ncclCommDeregister(self.comm, handle));
    NCCL_OK(ncclMemFree(data));
  });
}

TEST(Bits, AreEqualOnAllRanksForRoundingSumsAndNaN) {
  for (int ranks : {2, 3, 5, 8}) {
    std::vector<std::vector<float>> results(static_cast<std::size_t>(ranks));
    support::run_ranks(ranks, [&](const Rank& self) {
      for (std::size_t count : {std::size_t{3}, std::size_t{100'003}}) {
        std::vector<float> data(count);
        for (std::size_t i = 0; i < count; ++i)
          data[i] = 1.0F / static_cast<float>(1 + self.rank * 13 + static_cast<int>(i % 777));
        if (self.rank == 1) data[2] = -std::numeric_limits<float>::quiet_NaN();
        NCCL_OK(ncclAllReduce(data.data(), data.data(), count, ncclFloat32, ncclSum, self.comm, nullptr));
        auto& all = results[static_cast<std::size_t>(self.rank)];
        all.insert(all.end(), data.begin(), data.end());
      }
    });
    for (const auto& other : results)
      EXPECT_EQ(std::memcmp(other.data(), results[0].data(), other.size() * sizeof(float)), 0) << ranks << " ranks";
  }
}

}  // namespace
