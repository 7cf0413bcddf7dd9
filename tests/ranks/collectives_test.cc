// Every collective on every type and operation, ranks as threads.

#include "support/harness.h"

namespace {

using support::Call;
using support::Case;

std::vector<int> operations_of(Call call) {
  if (!support::reduces(call)) return {ncclSum};
  return {ncclSum, ncclProd, ncclMax, ncclMin, ncclAvg, support::kPreMulSum};
}

class Collectives : public ::testing::TestWithParam<int> {};

TEST_P(Collectives, GiveWhatTheirDefinitionSaysForEveryTypeAndOperation) {
  support::run_ranks(GetParam(), [](const support::Rank& self) {
    for (Call call : support::kCalls)
      for (int type = 0; type < 12; ++type)
        for (int op : operations_of(call))
          for (std::size_t count : {std::size_t{1}, std::size_t{257}})
            support::run_case(self, {call, static_cast<ncclDataType_t>(type), op, count,
                                     static_cast<int>(count) % self.ranks, self.ranks, false, 7 * count});
  });
}

TEST_P(Collectives, GiveTheSameInPlaceAndAtOddAddresses) {
  support::run_ranks(GetParam(), [](const support::Rank& self) {
    for (Call call : support::kCalls)
      for (ncclDataType_t type : {ncclInt8, ncclFloat16, ncclFloat32, ncclFloat64})
        for (int root = 0; root < self.ranks; ++root)
          for (bool in_place : {false, true}) {
            if (in_place && call == Call::kAllToAll) continue;
            support::run_case(
                self, {call, type, support::reduces(call) ? ncclSum : ncclSum, 1001, root, self.ranks, in_place, 3}, 1);
          }
  });
}

TEST_P(Collectives, MoveMoreThanTheirWindows) {
  support::run_ranks(GetParam(), [](const support::Rank& self) {
    for (Call call : support::kCalls)
      for (bool in_place : {false, true}) {
        if (in_place && call == Call::kAllToAll) continue;
        support::run_case(self, {call, ncclFloat32, ncclSum, 1'000'003 / static_cast<std::size_t>(self.ranks),
                                 self.ranks - 1, self.ranks, in_place, 11});
      }
  });
}

TEST_P(Collectives, SucceedWithoutDoingAnythingForCountZero) {
  support::run_ranks(GetParam(), [](const support::Rank& self) {
    for (Call call : support::kCalls) support::run_case(self, {call, ncclFloat32, ncclSum, 0, 0, self.ranks, false, 1});
    NCCL_OK(ncclAllReduce(nullptr, nullptr, 0, ncclFloat32, ncclSum, self.comm, nullptr));
  });
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
INSTANTIATE_TEST_SUITE_P(Ranks, Collectives,
                         ::testing::Values(1, 2, 3, 5));  // 8 ranks take minutes there, and no other path
#else
INSTANTIATE_TEST_SUITE_P(Ranks, Collectives, ::testing::Values(1, 2, 3, 4, 5, 8));
#endif

}  // namespace
