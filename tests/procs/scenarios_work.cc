// Scenarios of ranks that work: with success, against a disagreement, or until a peer is lost.

#include <random>
#include <vector>

#include "rank.h"
#include "support/harness.h"
#include "support/random_calls.h"

namespace rank_program {
namespace {

int after_error(Self& self) {
  report_async(self);
  report("abort", ncclCommAbort(self.comm));
  tell("end");
  return 0;
}

}  // namespace

int until_error(Self& self) {
  if (!check_sum(self, 100'000, 0)) return 1;
  tell("started");
  for (int round = 1;; ++round)
    if (!check_sum(self, 1 + static_cast<std::size_t>(round * 977 % 300'000), round)) break;
  return after_error(self);
}

int random_until_error(Self& self) {
  std::mt19937_64 random(option("AMALGAM_TEST_SEED", 1));
  for (int round = 0;; ++round) {
    tell("round " + std::to_string(round));
    support::Case c = support::random_case(random, self.ranks);
    if (c.op == support::kPreMulSum) c.op = ncclSum;
    support::Buffers buffers(c, self.rank);
    if (!report("call", support::issue(c, buffers, static_cast<ncclRedOp_t>(c.op), self.comm))) break;
    if (const auto right = buffers.check(); !right) {
      tell(std::string("wrong ") + right.message());
      return 1;
    }
  }
  return after_error(self);
}

int idle(Self& self) {
  tell("joined");
  hear();
  if (!check_sum(self, 1000, 0)) return after_error(self);
  return leave(self);
}

int sums(Self& self) {
  std::size_t count = 1;
  for (int round = 0; round < 40; ++round, count = count * 3 / 2 + 1)
    if (count * sizeof(float) <= option("AMALGAM_TEST_BYTES", 64U << 20) && !check_sum(self, count, round)) return 1;
  return leave(self);
}

int random_calls(Self& self) {
  const support::Rank rank{self.rank, self.ranks, self.comm};
  support::run_random_calls(rank, option("AMALGAM_TEST_SEED", 1), option("AMALGAM_TEST_CASES", 100));
  if (::testing::UnitTest::GetInstance()->ad_hoc_test_result().Failed()) return 1;  // it was printed
  return leave(self);
}

int held_back(Self& self) {
  for (int round = 0; round < 2; ++round)
    if (!check_sum(self, 10, round)) return 1;
  tell("entering");
  if (self.rank == self.ranks - 1) hear();
  if (!check_sum(self, 10, 2)) return after_error(self);
  return leave(self);
}

int mismatch(Self& self) {
  std::vector<float> data(2000);
  const std::size_t count = self.rank == 1 ? 1000 : 2000;
  report("allreduce", ncclAllReduce(data.data(), data.data(), count, ncclFloat32, ncclSum, self.comm, nullptr));
  return after_error(self);
}

int shrink_on(Self& self) {
  if (!check_sum(self, 1000, 0)) return 1;
  tell("started");
  for (int round = 1; check_sum(self, 50'000, round); ++round) continue;
  int dead = self.ranks - 1;
  Self survivor{self.rank, self.ranks - 1, self.id, nullptr};
  if (!report("shrink", ncclCommShrink(self.comm, &dead, 1, &survivor.comm, nullptr, NCCL_SHRINK_ABORT))) return 1;
  if (!check_sum(survivor, 1000, 5)) return 1;
  tell("shrunk");
  ncclCommDestroy(survivor.comm);
  ncclCommAbort(self.comm);
  tell("end");
  return 0;
}

}  // namespace rank_program
