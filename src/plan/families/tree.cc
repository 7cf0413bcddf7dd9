// Binomial tree: ranks whose number has lowest set bit s belong to level s and have one parent, s bits down.
//
// reduce     towards the root, level 0 first; partial results in one row of scratch
//   steps  ⌈log2 N⌉      bytes  M·⌈log2 N⌉ into the root     cost  L·α + L·M of work at the root
//   good   small M       bad  large M: the root folds everything L times
// broadcast  from the root, the farthest child first; the same numbers
// allreduce  reduce to rank 0, then broadcast, chunk by chunk, so that both directions of the wire work; accumulates in
// `out`
//   steps  2⌈log2 N⌉     bytes  M·L each way at rank 0        good  mid M on crowded cores: 2(N-1) messages in all
//
//   from   Thakur, Rabenseifner and Gropp, Optimization of collective communication operations in MPICH, IJHPCA 2005
//
// Ranks are numbered from the root: v = (r - root) mod N. v&-v is the lowest set bit: the distance to the parent.
// v has a child at level s when v is a multiple of 2^(s+1) and v + 2^s < N; whoever has any child has one at level 0.

#include <bit>

#include "plan/families/families.h"

namespace amalgam::plan {
namespace {

bool exists(Collective collective) {
  return collective == Collective::kAllReduce || collective == Collective::kReduce ||
         collective == Collective::kBroadcast;
}

int levels(int ranks) { return std::bit_width(static_cast<unsigned>(ranks - 1)); }

// Only the root stores `out`: its last fold finishes there.
Plan reduce(const Mold& mold) {
  Draft draft("tree", mold, Order::kChunk);
  draft.line("buffer in user whole").line("buffer out user whole");
  const int depth = levels(mold.ranks);
  const char* folded = depth > 2 ? "rx0, rx[*]" : "rx0";
  if (depth > 1) draft.line("buffer acc scratch 1 like in");
  draft.line("stage leaf when v%2==1||v+1==N channel 0 send in -> (r-(v&-v))%N");
  if (depth > 1) {
    draft.line("stage rx0 when v%2==0&&v+1<N channel 0 reduce acc = in + recv <- (r+1)%N after tx[k-W], last[k-W]");
    if (depth > 2)
      draft.line(
          "stage rx s=1..L-2 when v%(2<<s)==0&&v+(1<<s)<N channel 0 reduce acc = acc + recv <- (r+(1<<s))%N after rx0");
    draft.line("stage tx when v!=0&&v%2==0&&v+1<N channel 0 send acc -> (r-(v&-v))%N after ", folded);
    draft.line("stage last when v==0 channel 0 reduce out = acc + recv <- (r+(1<<L-1))%N finish after ", folded);
  } else {
    draft.line("stage last when v==0 channel 0 reduce out = in + recv <- (r+1)%N finish");
  }
  return std::move(draft).finish();
}

Plan broadcast(const Mold& mold) {
  Draft draft("tree", mold, Order::kChunk);
  draft.line("buffer in user whole").line("buffer out user whole");
  draft.line("stage top s=0..L-1 when v==0 channel 0 send in -> (r+(1<<L-1-s))%N");
  draft.line("stage rx when v!=0 channel 0 recv out <- (r-(v&-v))%N");
  if (levels(mold.ranks) > 1)
    draft.line(
        "stage tx s=1..L-1 when v!=0&&v%(2<<L-1-s)==0&&v+(1<<L-1-s)<N channel 0 send out -> (r+(1<<L-1-s))%N after rx");
  draft.line("stage own when v==0 copy out = in");
  return std::move(draft).finish();
}

Plan allreduce(const Mold& mold) {
  Draft draft("tree", mold, Order::kChunk);
  draft.line("buffer in user whole").line("buffer out user whole");
  const int depth = levels(mold.ranks);
  const char* folded = depth > 2 ? "rx0, rx[*]" : "rx0";
  draft.line("stage leaf when r%2==1||r+1==N channel 0 send in -> r-(r&-r)");
  if (depth > 1) {
    draft.line("stage rx0 when r%2==0&&r+1<N channel 0 reduce out = in + recv <- r+1");
    if (depth > 2)
      draft.line(
          "stage rx s=1..L-2 when r%(2<<s)==0&&r+(1<<s)<N channel 0 reduce out = out + recv <- r+(1<<s) after rx0");
    draft.line("stage tx when r!=0&&r%2==0&&r+1<N channel 0 send out -> r-(r&-r) after ", folded);
    draft.line("stage last when r==0 channel 0 reduce out = out + recv <- r+(1<<L-1) finish after ", folded);
  } else {
    draft.line("stage last when r==0 channel 0 reduce out = in + recv <- r+1 finish");
  }
  // What a rank sent up lay where the result arrives.
  draft.line("stage rxd when r!=0 channel 1 recv out <- r-(r&-r) after leaf", depth > 1 ? ", tx" : "");
  draft.line(
      "stage txd s=0..L-1 when r%(2<<L-1-s)==0&&r+(1<<L-1-s)<N channel 1 send out -> r+(1<<L-1-s) after last, rxd");
  return std::move(draft).finish();
}

Plan plan(const Mold& mold) {
  if (mold.collective == Collective::kReduce) return reduce(mold);
  return mold.collective == Collective::kBroadcast ? broadcast(mold) : allreduce(mold);
}

Terms terms(const Question& q) {
  const std::uint64_t directions = q.collective == Collective::kAllReduce ? 2 : 1;
  const std::uint64_t depth = q.fabric.powers.size();
  const std::uint64_t slice = q.first_slice(q.bytes);
  Terms terms;
  for (const Paths& level : q.fabric.powers) {
    terms.latency_ns += directions * level.alpha_ns;
    // The root's rail carries every level; the way back overlaps but for its first slice.
    terms.wire_ns += level.wire_ns(q.bytes) + (directions - 1) * level.wire_ns(slice);
  }
  terms.latency_ns += (directions * depth - 1) * q.fabric.work_ns(slice, 0);  // until the pipeline is full
  terms.messages = directions * depth * (q.slices(q.bytes) - 1);
  const std::uint64_t folded = reduces(q.collective) ? q.bytes : 0;  // at each edge
  terms.busiest = directions * depth * q.bytes + q.staged(depth * folded);
  terms.total = directions * 2 * (q.n() - 1) * q.bytes + q.staged((q.n() - 1) * folded);
  return terms;
}

}  // namespace

constexpr Family kTree = {"tree", true, exists, plan, terms};

}  // namespace amalgam::plan
