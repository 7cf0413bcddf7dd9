// Groups and messages: NCCL's rules, one fact per test.

#include <cstring>

#include "support/harness.h"

namespace {

using support::Rank;

std::vector<int> numbers(int rank, std::size_t count) {
  std::vector<int> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = rank * 100'000 + static_cast<int>(i);
  return values;
}

TEST(Groups, RunSendsAndReceivesInAnyOrder) {
  support::run_ranks(4, [](const Rank& self) {
    const std::size_t count = 300'000;  // more than the lanes hold
    const auto mine = numbers(self.rank, count);
    std::vector<std::vector<int>> got(4, std::vector<int>(count));
    NCCL_OK(ncclGroupStart());
    for (int step = 0; step < 4; ++step) {
      const int peer = (self.rank % 2 == 0) ? step : 3 - step;  // neighbours in opposite orders, the own rank included
      if (self.rank % 2 == 0) NCCL_OK(ncclSend(mine.data(), count, ncclInt32, peer, self.comm, nullptr));
      NCCL_OK(ncclRecv(got[peer].data(), count, ncclInt32, peer, self.comm, nullptr));
      if (self.rank % 2 != 0) NCCL_OK(ncclSend(mine.data(), count, ncclInt32, peer, self.comm, nullptr));
    }
    NCCL_OK(ncclGroupEnd());
    for (int peer = 0; peer < 4; ++peer) EXPECT_EQ(got[peer], numbers(peer, count)) << "from " << peer;
  });
}

TEST(Groups, KeepSeveralMessagesOfAPairInOrder) {
  support::run_ranks(2, [](const Rank& self) {
    const int peer = 1 - self.rank;
    std::vector<std::vector<int>> sent, got;
    NCCL_OK(ncclGroupStart());
    for (std::size_t m = 0; m < 20; ++m) {
      sent.push_back(numbers(self.rank * 50 + static_cast<int>(m), m * 1000));  // the first is empty
      got.emplace_back(m * 1000);
    }
    for (std::size_t m = 0; m < 20; ++m)
      NCCL_OK(ncclRecv(got[m].data(), got[m].size(), ncclInt32, peer, self.comm, nullptr));
    for (std::size_t m = 0; m < 20; ++m)
      NCCL_OK(ncclSend(sent[m].data(), sent[m].size(), ncclInt32, peer, self.comm, nullptr));
    NCCL_OK(ncclGroupEnd());
    for (std::size_t m = 0; m < 20; ++m)
      EXPECT_EQ(got[m], numbers(peer * 50 + static_cast<int>(m), m * 1000)) << "message " << m;
  });
}

TEST(Groups, MixCollectivesAndMessages) {
  support::run_ranks(3, [](const Rank& self) {
    const int next = (self.rank + 1) % 3, previous = (self.rank + 2) % 3;
    const auto mine = numbers(self.rank, 5000);
    std::vector<int> sum(5000), got(5000), all(15000);
    NCCL_OK(ncclGroupStart());
    NCCL_OK(ncclSend(mine.data(), 5000, ncclInt32, next, self.comm, nullptr));
    NCCL_OK(ncclAllReduce(mine.data(), sum.data(), 5000, ncclInt32, ncclSum, self.comm, nullptr));
    NCCL_OK(ncclGroupStart());  // nested
    NCCL_OK(ncclRecv(got.data(), 5000, ncclInt32, previous, self.comm, nullptr));
    NCCL_OK(ncclAllGather(mine.data(), all.data(), 5000, ncclInt32, self.comm, nullptr));
    NCCL_OK(ncclGroupEnd());
    EXPECT_EQ(got, std::vector<int>(5000)) << "an inner end must not run anything";
    NCCL_OK(ncclGroupEnd());
    EXPECT_EQ(got, numbers(previous, 5000));
    for (int i = 0; i < 5000; ++i) ASSERT_EQ(sum[i], 300'000 + 3 * i);
    for (int r = 0; r < 3; ++r) ASSERT_EQ(all[r * 5000 + 7], r * 100'000 + 7);
  });
}

TEST(Groups, ReturnTheFirstErrorAtTheOutermostEndAndAreEmptyThen) {
  support::run_ranks(1, [](const Rank& self) {
    int in = 3, out = 0;
    NCCL_OK(ncclGroupStart());
    EXPECT_EQ(ncclAllReduce(&in, &out, 1, static_cast<ncclDataType_t>(99), ncclSum, self.comm, nullptr),
              ncclInvalidArgument);
    NCCL_OK(ncclAllReduce(&in, &out, 1, ncclInt32, ncclSum, self.comm, nullptr));
    NCCL_OK(ncclGroupStart());
    NCCL_OK(ncclGroupEnd());
    EXPECT_EQ(ncclGroupEnd(), ncclInvalidArgument);
    EXPECT_EQ(out, 0) << "nothing of a failed group may run";
    EXPECT_EQ(ncclGroupEnd(), ncclInvalidUsage) << "the failed end closed the group";
    NCCL_OK(ncclAllReduce(&in, &out, 1, ncclInt32, ncclSum, self.comm, nullptr));
    EXPECT_EQ(out, 3);
  });
}

TEST(Groups, BelongToTheirThread) {
  support::run_ranks(1, [](const Rank& self) {
    NCCL_OK(ncclGroupStart());
    std::thread([&] {
      EXPECT_EQ(ncclGroupEnd(), ncclInvalidUsage);
      int in = 5, out = 0;
      EXPECT_EQ(ncclAllReduce(&in, &out, 1, ncclInt32, ncclSum, self.comm, nullptr), ncclSuccess);
      EXPECT_EQ(out, 5) << "another thread's open group must not hold this call back";
    }).join();
    NCCL_OK(ncclGroupEnd());
  });
}

TEST(Groups, RefuseASendToOneselfWithoutItsReceive) {
  support::run_ranks(1, [](const Rank& self) {
    int value = 1, other = 0;
    EXPECT_EQ(ncclSend(&value, 1, ncclInt32, 0, self.comm, nullptr), ncclInvalidUsage);
    NCCL_OK(ncclGroupStart());
    NCCL_OK(ncclSend(&value, 1, ncclInt32, 0, self.comm, nullptr));
    NCCL_OK(ncclRecv(&other, 1, ncclInt32, 0, self.comm, nullptr));
    NCCL_OK(ncclGroupEnd());
    EXPECT_EQ(other, 1);
  });
}

TEST(Groups, DriveAllRanksOfAProcessFromOneThread) {
  constexpr int kRanks = 5;
  ncclComm_t comms[kRanks];
  const int devices[kRanks] = {4, 3, 2, 1, 0};
  NCCL_OK(ncclCommInitAll(comms, kRanks, devices));
  std::vector<std::vector<int>> data, sums(kRanks, std::vector<int>(70'000));
  for (int r = 0; r < kRanks; ++r) data.push_back(numbers(r, 70'000));
  NCCL_OK(ncclGroupStart());
  for (int r = kRanks - 1; r >= 0; --r) {
    int device = -1;
    NCCL_OK(ncclCommCuDevice(comms[r], &device));
    EXPECT_EQ(device, devices[r]);
    NCCL_OK(ncclAllReduce(data[r].data(), sums[r].data(), 70'000, ncclInt32, ncclSum, comms[r], nullptr));
    NCCL_OK(ncclBroadcast(data[r].data(), data[r].data(), 70'000, ncclInt32, 2, comms[r], nullptr));
  }
  NCCL_OK(ncclGroupEnd());
  for (int r = 0; r < kRanks; ++r) {
    for (int i = 0; i < 70'000; ++i) ASSERT_EQ(sums[r][i], 1'000'000 + 5 * i);
    EXPECT_EQ(data[r], numbers(2, 70'000));
  }
  for (ncclComm_t comm : comms) NCCL_OK(ncclCommDestroy(comm));
}

TEST(Groups, InitializeSeveralRanksOfOneThread) {
  ncclUniqueId id;
  NCCL_OK(ncclGetUniqueId(&id));
  ncclComm_t comms[3];
  NCCL_OK(ncclGroupStart());
  for (int r = 0; r < 3; ++r) NCCL_OK(ncclCommInitRank(&comms[r], 3, id, r));
  NCCL_OK(ncclGroupEnd());
  ncclComm_t halves[3];
  NCCL_OK(ncclGroupStart());
  for (int r = 0; r < 3; ++r)
    NCCL_OK(ncclCommSplit(comms[r], r == 1 ? NCCL_SPLIT_NOCOLOR : 7, -r, &halves[r], nullptr));
  NCCL_OK(ncclGroupEnd());
  EXPECT_EQ(halves[1], nullptr);
  int rank = -1, count = 0;
  NCCL_OK(ncclCommUserRank(halves[2], &rank));
  NCCL_OK(ncclCommCount(halves[2], &count));
  EXPECT_EQ(rank, 0) << "the smaller key comes first";
  EXPECT_EQ(count, 2);
  for (int r = 0; r < 3; ++r) {
    NCCL_OK(ncclCommDestroy(halves[r]));
    NCCL_OK(ncclCommDestroy(comms[r]));
  }
}

TEST(Groups, PredictWithoutRunning) {
  support::run_ranks(2, [](const Rank& self) {
    int in = 1, out = 0;
    ncclSimInfo_t info = NCCL_SIM_INFO_INITIALIZER;
    NCCL_OK(ncclGroupStart());
    NCCL_OK(ncclAllReduce(&in, &out, 1, ncclInt32, ncclSum, self.comm, nullptr));
    NCCL_OK(ncclGroupSimulateEnd(&info));
    EXPECT_GT(info.estimatedTime, 0);
    EXPECT_EQ(out, 0);
    EXPECT_EQ(ncclGroupEnd(), ncclInvalidUsage);
  });
}

TEST(Groups, APredictionEndsOneLevelAndARefusedOneToo) {
  support::run_ranks(1, [](const Rank& self) {
    int in = 1, out = 0;
    ncclSimInfo_t info = NCCL_SIM_INFO_INITIALIZER;
    NCCL_OK(ncclGroupStart());
    NCCL_OK(ncclGroupStart());
    NCCL_OK(ncclAllReduce(&in, &out, 1, ncclInt32, ncclSum, self.comm, nullptr));
    NCCL_OK(ncclGroupSimulateEnd(&info));
    EXPECT_LT(info.estimatedTime, 0) << "undefined: the outer level is still open";
    NCCL_OK(ncclGroupEnd());
    EXPECT_EQ(out, 1);
    NCCL_OK(ncclGroupStart());
    EXPECT_EQ(ncclGroupSimulateEnd(nullptr), ncclInvalidArgument);
    EXPECT_EQ(ncclGroupEnd(), ncclInvalidUsage) << "the group has ended";
  });
}

TEST(Groups, RefuseBlockingBesideNonBlockingInits) {
  ncclUniqueId id;
  NCCL_OK(ncclGetUniqueId(&id));
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  ncclComm_t comms[2] = {};
  NCCL_OK(ncclGroupStart());
  NCCL_OK(ncclCommInitRank(&comms[0], 2, id, 0));
  const ncclResult_t second = ncclCommInitRankConfig(&comms[1], 2, id, 1, &config);
  EXPECT_TRUE(second == ncclSuccess || second == ncclInProgress);
  EXPECT_EQ(ncclGroupEnd(), ncclInvalidArgument);
  EXPECT_EQ(comms[0], nullptr);
  EXPECT_EQ(comms[1], nullptr);
}

// One thread drives both ranks, so nobody else could tell the second one that the first has failed.
TEST(Groups, AnErrorOfOneRankEndsTheOthersOfItsThread) {
  ncclComm_t comms[2];
  NCCL_OK(ncclCommInitAll(comms, 2, nullptr));
  int values[2] = {1, 2};
  NCCL_OK(ncclGroupStart());
  NCCL_OK(ncclAllReduce(&values[0], &values[0], 1, ncclInt32, ncclSum, comms[0], nullptr));
  NCCL_OK(ncclBroadcast(&values[1], &values[1], 1, ncclInt32, 0, comms[1], nullptr));
  EXPECT_EQ(ncclGroupEnd(), ncclRemoteError);
  for (ncclComm_t comm : comms) {
    EXPECT_EQ(support::settle(comm), ncclRemoteError);
    NCCL_OK(ncclCommAbort(comm));
  }
}

TEST(Messages, OfDifferentSizesAreAnErrorOnBothSides) {
  support::run_ranks(2, [](const Rank& self) {
    std::vector<int> data(100);
    const ncclResult_t result = self.rank == 0 ? ncclSend(data.data(), 100, ncclInt32, 1, self.comm, nullptr)
                                               : ncclRecv(data.data(), 90, ncclInt32, 0, self.comm, nullptr);
    if (self.rank == 1) {
      EXPECT_EQ(result, ncclRemoteError);  // the sender may have been done before the receiver looked
    }
    ncclResult_t state = ncclInProgress;
    while (state == ncclInProgress || state == ncclSuccess) NCCL_OK(ncclCommGetAsyncError(self.comm, &state));
    EXPECT_EQ(state, ncclRemoteError);
  });
}

TEST(AllToAllV, MovesUnequalBlocks) {
  support::run_ranks(4, [](const Rank& self) {
    std::vector<std::size_t> send_counts(4), send_at(4), receive_counts(4), receive_at(4);
    std::size_t sent = 0, received = 0;
    for (std::size_t peer = 0; peer < 4; ++peer) {
      const auto me = static_cast<std::size_t>(self.rank);
      send_counts[peer] = me == 2 ? 0 : (me + 1) * 1000 * peer + 1;
      receive_counts[peer] = peer == 2 ? 0 : (peer + 1) * 1000 * me + 1;
      send_at[peer] = sent;
      receive_at[peer] = received;
      sent += send_counts[peer];
      received += receive_counts[peer];
    }
    const auto mine = numbers(self.rank, sent + 1);
    std::vector<int> got(received + 1);
    NCCL_OK(ncclAllToAllv(mine.data(), send_counts.data(), send_at.data(), got.data(), receive_counts.data(),
                          receive_at.data(), ncclInt32, self.comm, nullptr));
    for (int peer = 0; peer < 4; ++peer) {
      if (receive_counts[peer] == 0) continue;
      std::size_t offset = 0;  // of our block in the peer's send buffer
      for (int before = 0; before < self.rank; ++before)
        offset += (static_cast<std::size_t>(peer) + 1) * 1000 * static_cast<std::size_t>(before) + 1;
      for (std::size_t i = 0; i < receive_counts[peer]; ++i)
        ASSERT_EQ(got[receive_at[peer] + i], peer * 100'000 + static_cast<int>(offset + i)) << "from " << peer;
    }
  });
}

}  // namespace
