// Chain: slices run through all ranks one after another, each rank passing on what it has while the next slice arrives.
//
// broadcast  root, root+1, …, N-1 further on
//   steps  N-1+K-1 for K slices    bytes  M on every rail    cost  (N-1)(α + slice) + M·β + 2M of work
//   good   large M: every rail carries M once, which is the bound      bad  small M, many ranks
// reduce     the other way round, each rank adds its own; the same numbers
//
// The slice trades the fill (N-2 slices) against the messages (K): the best is sqrt(M·o / ((N-2)·β)) and is looked for
// among powers of two.
//
//   from   the pipelined linear algorithm, e.g. Pjesivac-Grbovic et al., Performance analysis of MPI collective
//   operations, 2007

#include "plan/families/families.h"

namespace amalgam::plan {
namespace {

bool exists(Collective collective) { return collective == Collective::kReduce || collective == Collective::kBroadcast; }

Plan broadcast(const Mold& mold) {
  Draft draft("chain", mold, Order::kChunk);
  draft.line("buffer in user whole").line("buffer out user whole");
  draft.line("stage top when v==0 channel 0 send in -> (r+1)%N");
  draft.line("stage rx when v!=0 channel 0 recv out <- (r-1)%N");
  if (mold.ranks > 2) draft.line("stage tx when v!=0&&v<N-1 channel 0 send out -> (r+1)%N after rx");
  draft.line("stage own when v==0 copy out = in");
  return std::move(draft).finish();
}

Plan reduce(const Mold& mold) {
  Draft draft("chain", mold, Order::kChunk);
  draft.line("buffer in user whole").line("buffer out user whole");
  if (mold.ranks > 2) draft.line("buffer acc scratch 1 like in");
  draft.line("stage tail when v==N-1 channel 0 send in -> (r-1)%N");
  if (mold.ranks > 2) {
    draft.line("stage rx when v!=0&&v<N-1 channel 0 reduce acc = in + recv <- (r+1)%N after tx[k-W]");
    draft.line("stage tx when v!=0&&v<N-1 channel 0 send acc -> (r-1)%N after rx");
  }
  draft.line("stage last when v==0 channel 0 reduce out = in + recv <- (r+1)%N finish");
  return std::move(draft).finish();
}

Plan plan(const Mold& mold) { return mold.collective == Collective::kReduce ? reduce(mold) : broadcast(mold); }

Terms terms(const Question& q) {
  const std::uint64_t slice = q.first_slice(q.bytes);
  const std::uint64_t fill = q.n() - 2;
  Terms terms;
  terms.latency_ns = (q.n() - 1) * q.fabric.neighbours.alpha_ns + fill * q.fabric.work_ns(2 * slice, 0);
  terms.messages = q.slices(q.bytes) - 1;
  terms.wire_ns = q.fabric.neighbours.wire_ns(q.bytes) + fill * q.fabric.neighbours.wire_ns(slice);
  const std::uint64_t folded = reduces(q.collective) ? q.bytes : 0;  // at each link
  terms.busiest = 2 * q.bytes + q.staged(folded);
  terms.total = 2 * (q.n() - 1) * q.bytes + q.staged((q.n() - 1) * folded);
  return terms;
}

}  // namespace

constexpr Family kChain = {"chain", true, exists, plan, terms};

}  // namespace amalgam::plan
