// Pairwise: in step s every rank sends to r+s and receives from r-s, so that no receiver is asked twice at once.
//
// alltoall, alltoallv  every block goes straight to its owner
//   steps  N-1      bytes  M(N-1)/N     cost  α + (N-2)·o + M(N-1)/N·β + 2M of work; no relay can beat it on a full
//   core
// reducescatter        folds each arriving block into one row of scratch: no landing memory, one rounding per hop
//   steps  N-1      bytes  M(N-1)/N     good  many ranks, where direct's landing memory is too much
//
//   from   Thakur, Rabenseifner and Gropp, Optimization of collective communication operations in MPICH, IJHPCA 2005

#include "plan/families/families.h"

namespace amalgam::plan {
namespace {

bool exists(Collective collective) {
  return collective == Collective::kAllToAll || collective == Collective::kAllToAllV ||
         collective == Collective::kReduceScatter;
}

Plan all_to_all(const Mold& mold) {
  Draft draft("pairwise", mold, Order::kChunk);
  const char* shape = mold.collective == Collective::kAllToAllV ? "vector" : "blocks";
  draft.line("buffer in user ", shape, " N").line("buffer out user ", shape, " N");
  draft.line("stage tx s=1..N-1 channel 0 send in[(r+s)%N] -> (r+s)%N");
  draft.line("stage own copy out[r] = in[r]");
  draft.line("stage rx s=1..N-1 channel 0 recv out[(r-s)%N] <- (r-s)%N");
  return std::move(draft).finish();
}

Plan reduce_scatter(const Mold& mold) {
  Draft draft("pairwise", mold, Order::kChunk);
  draft.line("buffer in user blocks N").line("buffer out user whole");
  const int n = mold.ranks;
  if (n > 2) draft.line("buffer acc scratch 1 like out");
  draft.line("stage tx s=1..N-1 channel 0 send in[(r+s)%N] -> (r+s)%N");
  if (n > 2) draft.line("stage rx1 channel 0 reduce acc = in[r] + recv <- (r-1)%N after rxl[k-W]");
  if (n > 3) draft.line("stage rx s=2..N-2 channel 0 reduce acc = acc + recv <- (r-s)%N after rx1");
  draft.line("stage rxl channel 0 reduce out = ", n > 2 ? "acc" : "in[r]", " + recv <- (r+1)%N finish",
             n > 3   ? " after rx1, rx[*]"
             : n > 2 ? " after rx1"
                     : "");
  return std::move(draft).finish();
}

Plan plan(const Mold& mold) {
  return mold.collective == Collective::kReduceScatter ? reduce_scatter(mold) : all_to_all(mold);
}

Terms terms(const Question& q) {
  const std::uint64_t part = q.bytes / q.n();
  const std::uint64_t moved = q.bytes - part;
  const bool folds = q.collective == Collective::kReduceScatter;
  Terms terms;
  terms.latency_ns = q.fabric.pairs.alpha_ns;
  // Folding in the order of the steps waits for each: one more o per step than direct.
  terms.messages = (q.n() - 1) * q.slices(part) - 1 + (folds ? q.n() - 2 : 0);
  terms.wire_ns = incast(q, q.fabric.pairs.wire_ns(moved));
  terms.busiest = 2 * moved + (folds ? q.staged(moved) : part);
  terms.total = q.n() * terms.busiest;
  return terms;
}

}  // namespace

constexpr Family kPairwise = {"pairwise", false, exists, plan, terms};

}  // namespace amalgam::plan
