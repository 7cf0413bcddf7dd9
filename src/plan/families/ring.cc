// Ring: parts travel from rank to rank, each hop adds its contribution or keeps a copy.
//
// allreduce      reduce-scatter around the ring, then all-gather around the ring; accumulates in `out`
//   steps  2(N-1)   bytes  2M(N-1)/N on the busiest rank    cost  2(N-1)·α + 2M(N-1)/N·β + 4M(N-1)/N of work
//   good   large M, many ranks, ranks of one domain that share a rail: only two neighbours each, no incast
//   bad    small M: 2(N-1) latencies; one slow rail slows everybody
// reducescatter  chunk by chunk, partial results in scratch       steps (N-1)·K, nothing overlaps: for wires that
// suffer from incast allgather      the second half alone                             steps N-1    bytes M(N-1)/N
//
//   from   Patarasuk and Yuan, Bandwidth optimal all-reduce algorithms for clusters of workstations, JPDC 2009

#include "plan/families/families.h"

namespace amalgam::plan {
namespace {

bool exists(Collective collective) {
  return collective == Collective::kAllReduce || collective == Collective::kReduceScatter ||
         collective == Collective::kAllGather;
}

// In step s rank r sends part r-s and receives part r-s-1. A lane has one sending and one receiving stage, and what
// they do changes on the way (read `in` or `out`; fold, fold and finish, or store), so each phase has a channel: 0 the
// first hop, 1 the hops between, 2 the one that completes a part, 3 the all-gather.
Plan allreduce(const Mold& mold) {
  Draft draft("ring", mold, Order::kStep);
  draft.line("buffer in user cut N").line("buffer out user cut N");
  const int n = mold.ranks;
  const char* whole_fold = n == 2 ? " finish" : "";
  draft.line("stage tx0 s=0..0 channel 0 send in[r] -> (r+1)%N");
  draft.line("stage rx0 s=0..0 channel 0 reduce out[(r-1)%N] = in[(r-1)%N] + recv <- (r-1)%N", whole_fold);
  if (n > 3) {
    draft.line("stage tx s=1..N-3 channel 1 send out[(r-s)%N] -> (r+1)%N after rx0[s-1], rx[s-1]");
    draft.line("stage rx s=1..N-3 channel 1 reduce out[(r-s-1)%N] = in[(r-s-1)%N] + recv <- (r-1)%N");
  }
  if (n > 2) {
    draft.line("stage txl s=N-2..N-2 channel 2 send out[(r-s)%N] -> (r+1)%N after ", n > 3 ? "rx[s-1]" : "rx0[s-1]");
    draft.line("stage rxl s=N-2..N-2 channel 2 reduce out[(r-s-1)%N] = in[(r-s-1)%N] + recv <- (r-1)%N finish");
  }
  draft.line("stage txg s=N-1..2*N-3 channel 3 send out[(r-s)%N] -> (r+1)%N after ", n > 2 ? "rxl" : "rx0",
             "[s-1], rxg[s-1]");
  // The part that arrives in step s left this rank in step s-N+1; only then may it be overwritten.
  draft.line("stage rxg s=N-1..2*N-3 channel 3 recv out[(r-s-1)%N] <- (r-1)%N after tx0[s-N+1]",
             n > 3 ? ", tx[s-N+1]" : "", n > 2 ? ", txl[s-N+1]" : "");
  return std::move(draft).finish();
}

// Block r ends at rank r: in step s rank r passes on block r-s-1. Two scratch rows take turns, so that the next partial
// result need not wait for this one to leave.
Plan reduce_scatter(const Mold& mold) {
  Draft draft("ring", mold, Order::kChunk);
  draft.line("buffer in user blocks N").line("buffer out user whole");
  if (mold.ranks > 2) draft.line("buffer acc scratch 2 like out");
  draft.line("stage tx0 channel 0 send in[(r-1)%N] -> (r+1)%N");
  if (mold.ranks > 2) {
    const bool many = mold.ranks > 3;
    draft.line("stage rx0 channel 0 reduce acc = in[(r-2)%N] + recv <- (r-1)%N after ", many ? "tx[*, k-W], " : "",
               "txl[k-W]");
    if (many) {
      draft.line("stage tx s=1..N-3 channel 1 send acc[(s-1)%2] -> (r+1)%N after rx0, rx[s-1]");
      draft.line(
          "stage rx s=1..N-3 channel 1 reduce acc[s%2] = in[(r-s-2)%N] + recv <- (r-1)%N after tx[s-1], tx[*, k-W], "
          "txl[k-W]");
    }
    draft.line("stage txl channel 2 send acc[(N-3)%2] -> (r+1)%N after ", many ? "rx[N-3]" : "rx0");
    draft.line("stage rxl channel 2 reduce out = in[r] + recv <- (r-1)%N finish");
  } else {
    draft.line("stage rx0 channel 0 reduce out = in[r] + recv <- (r-1)%N finish");
  }
  return std::move(draft).finish();
}

// The own block is copied first and leaves from `out` like all others: one lane is enough.
Plan all_gather(const Mold& mold) {
  Draft draft("ring", mold, Order::kStep);
  draft.line("buffer in user whole").line("buffer out user blocks N");
  draft.line("stage own copy out[r] = in");
  draft.line("stage tx s=0..N-2 channel 0 send out[(r-s)%N] -> (r+1)%N after own, rx[s-1]");
  draft.line("stage rx s=0..N-2 channel 0 recv out[(r-s-1)%N] <- (r-1)%N");
  return std::move(draft).finish();
}

Plan plan(const Mold& mold) {
  if (mold.collective == Collective::kAllReduce) return allreduce(mold);
  return mold.collective == Collective::kReduceScatter ? reduce_scatter(mold) : all_gather(mold);
}

Terms terms(const Question& q) {
  const std::uint64_t rounds = q.collective == Collective::kAllReduce ? 2 : 1;
  const std::uint64_t part = q.bytes / q.n();
  const std::uint64_t moved = rounds * (q.bytes - part);
  const std::uint64_t hops = rounds * (q.n() - 1);
  const bool serial = q.collective == Collective::kReduceScatter;
  Terms terms;
  terms.latency_ns = scale(hops * (serial ? q.slices(part) : 1), q.fabric.neighbours.alpha_ns, 1);
  terms.messages = serial ? 0 : hops * (q.slices(part) - 1);
  terms.wire_ns = q.fabric.neighbours.wire_ns(moved);
  terms.busiest = 2 * moved + (q.collective == Collective::kAllGather ? part : q.staged(q.bytes - part));
  terms.total = q.n() * terms.busiest;
  return terms;
}

}  // namespace

constexpr Family kRing = {"ring", false, exists, plan, terms};

}  // namespace amalgam::plan
