// Scenario of a process that makes and ends many communicators while one lives on: what it holds must not grow.
//
// AMALGAM_TEST_ROUNDS  how many rounds are counted, after a warm-up
// AMALGAM_TEST_KIND    how a round ends and what it does more: destroy, abort, split or memory

#include "rank.h"
#include "support/usage.h"

namespace rank_program {
namespace {

constexpr std::size_t kWarmUp = 20;

// The id of the round's communicator travels over the one that stays.
bool join_round(const Self& base, Self* round) {
  *round = {base.rank, base.ranks, {}, nullptr};
  if (base.rank == 0 && !report("getid", ncclGetUniqueId(&round->id))) return false;
  const ncclResult_t sent = ncclBroadcast(&round->id, &round->id, sizeof(round->id), ncclInt8, 0, base.comm, nullptr);
  return report("broadcast", sent) && join(*round);
}

bool split_and_sum(const Self& round) {
  Self part{round.rank, round.ranks, {}, nullptr};
  return report("split", ncclCommSplit(round.comm, 0, round.rank, &part.comm, nullptr)) && check_sum(part, 500, 1) &&
         report("destroy", ncclCommDestroy(part.comm));
}

bool sum_own_memory(const Self& round) {
  void* memory = nullptr;
  constexpr std::size_t kCount = 50'000;
  if (!report("memalloc", ncclMemAlloc(&memory, kCount * sizeof(float)))) return false;
  return report("allreduce", ncclAllReduce(memory, memory, kCount, ncclFloat32, ncclSum, round.comm, nullptr)) &&
         report("allreduce", ncclAllReduce(memory, memory, 10, ncclFloat32, ncclSum, round.comm, nullptr)) &&
         report("memfree", ncclMemFree(memory));
}

bool run_round(const Self& base, const std::string& kind) {
  Self round;
  if (!join_round(base, &round) || !check_sum(round, 100, 0) || !check_sum(round, 40'000, 1)) return false;
  if (kind == "split" && !split_and_sum(round)) return false;
  if (kind == "memory" && !sum_own_memory(round)) return false;
  if (kind != "abort") return report("destroy", ncclCommDestroy(round.comm));
  return check_sum(base, 1, 0) && report("abort", ncclCommAbort(round.comm));  // nobody aborts what another still uses
}

}  // namespace

int rounds(Self& self) {
  const std::string kind = text_option("AMALGAM_TEST_KIND");
  for (std::size_t i = 0; i < kWarmUp; ++i)
    if (!run_round(self, kind)) return 1;
  if (!check_sum(self, 1, 0)) return 1;
  const support::Usage before = support::settled_usage();
  if (!check_sum(self, 1, 0)) return 1;
  const std::size_t count = option("AMALGAM_TEST_ROUNDS", 100);
  for (std::size_t i = 0; i < count; ++i)
    if (!run_round(self, kind)) return 1;
  if (!check_sum(self, 1, 0)) return 1;
  const support::Usage after = support::settled_usage();
  tell("usage " + support::text(before) + " " + support::text(after));
  if (!check_sum(self, 1, 0)) return 1;  // all have looked
  return leave(self);
}

}  // namespace rank_program
