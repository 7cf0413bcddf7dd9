// What outside clients met: scalars that are written late, several children made of one communicator, handles of failed
// groups.

#include <gtest/gtest.h>
#include <nccl.h>

#include "support/harness.h"

namespace {

using support::Rank;

TEST(PreMulSum, AScalarInDeviceMemoryIsReadWhenTheCallIsMade) {
  support::run_ranks(2, [](const Rank& self) {
    float scalar = 0, late[2] = {1, 1}, now[2] = {1, 1};
    ncclRedOp_t at_use, immediate;
    NCCL_OK(ncclRedOpCreatePreMulSum(&at_use, &scalar, ncclFloat32, ncclScalarDevice, self.comm));
    scalar = 3;
    NCCL_OK(ncclRedOpCreatePreMulSum(&immediate, &scalar, ncclFloat32, ncclScalarHostImmediate, self.comm));
    scalar = self.rank == 0 ? 10 : 100;
    NCCL_OK(ncclAllReduce(late, late, 2, ncclFloat32, at_use, self.comm, nullptr));
    NCCL_OK(ncclAllReduce(now, now, 2, ncclFloat32, immediate, self.comm, nullptr));
    EXPECT_EQ(late[0], 110);
    EXPECT_EQ(now[1], 6);
    NCCL_OK(ncclRedOpDestroy(at_use, self.comm));
    NCCL_OK(ncclRedOpDestroy(immediate, self.comm));
  });
}

TEST(PreMulSum, AHandleOfAnotherCommunicatorIsRefused) {
  ncclComm_t comms[2];
  for (ncclComm_t& comm : comms) NCCL_OK(ncclCommInitAll(&comm, 1, nullptr));
  float scalar = 2, value = 1;
  ncclRedOp_t first, second;
  NCCL_OK(ncclRedOpCreatePreMulSum(&first, &scalar, ncclFloat32, ncclScalarHostImmediate, comms[0]));
  NCCL_OK(ncclRedOpCreatePreMulSum(&second, &scalar, ncclFloat32, ncclScalarHostImmediate, comms[1]));
  EXPECT_EQ(ncclAllReduce(&value, &value, 1, ncclFloat32, first, comms[1], nullptr), ncclInvalidArgument);
  EXPECT_EQ(ncclRedOpDestroy(second, comms[0]), ncclInvalidArgument);
  NCCL_OK(ncclAllReduce(&value, &value, 1, ncclFloat32, first, comms[0], nullptr));
  EXPECT_EQ(value, 2);
  for (ncclComm_t comm : comms) NCCL_OK(ncclCommDestroy(comm));
}

void expect_sum_of_ones(ncclComm_t comm, int ranks) {
  int value = 1;
  NCCL_OK(ncclAllReduce(&value, &value, 1, ncclInt32, ncclSum, comm, nullptr));
  EXPECT_EQ(value, ranks);
  NCCL_OK(ncclCommDestroy(comm));
}

TEST(Children, SeveralSplitsOfOneCommunicatorInOneGroup) {
  support::run_ranks(3, [](const Rank& self) {
    ncclComm_t all = nullptr, parts = nullptr;
    NCCL_OK(ncclGroupStart());
    NCCL_OK(ncclCommSplit(self.comm, 0, self.rank, &all, nullptr));
    NCCL_OK(ncclCommSplit(self.comm, self.rank % 2, self.rank, &parts, nullptr));
    NCCL_OK(ncclGroupEnd());
    expect_sum_of_ones(all, 3);
    expect_sum_of_ones(parts, self.rank % 2 == 0 ? 2 : 1);
  });
}

TEST(Children, AParentIsSplitByAllRanksAfterSomeShrankIt) {
  support::run_ranks(3, [](const Rank& self) {
    for (int gone : {2, 0, 2}) {  // each rank has made another number of children in the end
      if (self.rank == gone) continue;
      ncclComm_t rest = nullptr;
      NCCL_OK(ncclCommShrink(self.comm, &gone, 1, &rest, nullptr, NCCL_SHRINK_DEFAULT));
      expect_sum_of_ones(rest, 2);
    }
    ncclComm_t all = nullptr;
    NCCL_OK(ncclCommSplit(self.comm, 0, self.rank, &all, nullptr));
    expect_sum_of_ones(all, 3);
  });
}

TEST(Groups, AFailedGroupGivesNoCommunicator) {
  ncclUniqueId id;
  NCCL_OK(ncclGetUniqueId(&id));
  ncclComm_t comm = nullptr;
  NCCL_OK(ncclGroupStart());
  NCCL_OK(ncclCommInitRank(&comm, 2, id, 0));
  EXPECT_NE(comm, nullptr);
  EXPECT_EQ(ncclAllReduce(nullptr, nullptr, 1, ncclInt8, ncclSum, nullptr, nullptr), ncclInvalidArgument);
  EXPECT_EQ(ncclGroupEnd(), ncclInvalidArgument);
  EXPECT_EQ(comm, nullptr);
}

}  // namespace
