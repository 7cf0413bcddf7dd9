// Direct: every rank talks to every rank it owes something, at once.
//
// allreduce      reduce-scatter (part i of every rank lands at rank i, one sum) and all-gather of the results
//   steps  2       bytes  2M(N-1)/N on the busiest rank     cost  2α + (4N-6)·o + 2M(N-1)/N·β + 4M(N-1)/N of work
//   within one memory the result is written once, where all others read it: 3M(N-1)/N + M/N of work
//   good   few ranks, mid and large M; folds wide: fp16 and fp8 round once
//   bad    many ranks: N·W slots of landing memory, N senders at one receiver
// reducescatter  its first half    steps 1    bytes M(N-1)/N       allgather  its second half    steps 1    bytes
// M(N-1)/N reduce         everybody sends all to the root, one wide sum      steps 1    bytes M(N-1) at the root: small
// M broadcast      the root sends all to everybody                    steps 1    bytes M(N-1) at the root: small M, few
// ranks gather scatter the only way that needs no relay                   steps 1    bytes M(N-1)/N at the root
//
//   from   the parameter-server exchange (Li et al., Scaling distributed machine learning with the parameter server,
//   OSDI
//          2014) with every rank a server; 2M(N-1)/N is the bound of Patarasuk and Yuan, JPDC 2009
//
// Sends never wait for receives of the same rank, so no credit is needed.

#include "plan/families/families.h"

namespace amalgam::plan {
namespace {

bool exists(Collective collective) {
  switch (collective) {
    case Collective::kAllReduce:
    case Collective::kReduce:
    case Collective::kBroadcast:
    case Collective::kReduceScatter:
    case Collective::kAllGather:
    case Collective::kGather:
    case Collective::kScatter: return true;
    default: return false;
  }
}

// Whether a result goes to scratch memory that all others read, instead of once to each of them.
bool publishes(bool shared, int ranks) { return shared && ranks > 2; }

Plan allreduce(const Mold& mold) {
  Draft draft("direct", mold, Order::kChunk, 0, /*wide=*/true);
  const bool published = publishes(mold.shared, mold.ranks);
  draft.line("buffer in user cut N").line("buffer out user cut N").line("buffer land scratch N like out[r]");
  if (published) draft.line("buffer result scratch 1 like out[r]");
  draft.line("stage tx s=1..N-1 channel 0 send in[(r+s)%N] -> (r+s)%N");
  draft.line("stage rx s=1..N-1 channel 0 recv land[(r-s)%N] <- (r-s)%N after sum[k-W]");
  if (published) {
    draft.line("stage sum sum result = in[r] + land[*] finish after rx[*], tx2[*, k-W], own[k-W]");
    draft.line("stage tx2 s=1..N-1 channel 1 send result -> (r+s)%N after sum");
    draft.line("stage own copy out[r] = result after sum");
  } else {
    draft.line("stage sum sum out[r] = in[r] + land[*] finish after rx[*]");
    draft.line("stage tx2 s=1..N-1 channel 1 send out[r] -> (r+s)%N after sum");
  }
  draft.line(
      "stage rx2 s=1..N-1 channel 1 recv out[(r-s)%N] <- (r-s)%N after tx[N-s]");  // in place: tx[N-s] reads that part
  return std::move(draft).finish();
}

Plan reduce_scatter(const Mold& mold) {
  Draft draft("direct", mold, Order::kChunk, 0, /*wide=*/true);
  draft.line("buffer in user blocks N").line("buffer out user whole").line("buffer land scratch N like out");
  draft.line("stage tx s=1..N-1 channel 0 send in[(r+s)%N] -> (r+s)%N");
  draft.line("stage rx s=1..N-1 channel 0 recv land[(r-s)%N] <- (r-s)%N after sum[k-W]");
  draft.line("stage sum sum out = in[r] + land[*] finish after rx[*]");
  return std::move(draft).finish();
}

Plan reduce(const Mold& mold) {
  Draft draft("direct", mold, Order::kChunk, 0, /*wide=*/true);
  draft.line("buffer in user whole").line("buffer out user whole").line("buffer land scratch N like out");
  draft.line("stage tx when v!=0 channel 0 send in -> root");
  draft.line("stage rx s=1..N-1 when v==0 channel 0 recv land[(r+s)%N] <- (r+s)%N after sum[k-W]");
  draft.line("stage sum when v==0 sum out = in + land[*] finish after rx[*]");
  return std::move(draft).finish();
}

Plan broadcast(const Mold& mold) {
  Draft draft("direct", mold, Order::kChunk);
  draft.line("buffer in user whole").line("buffer out user whole");
  draft.line("stage tx s=1..N-1 when v==0 channel 0 send in -> (r+s)%N");
  draft.line("stage rx when v!=0 channel 0 recv out <- root");
  draft.line("stage own when v==0 copy out = in");
  return std::move(draft).finish();
}

Plan all_gather(const Mold& mold) {
  Draft draft("direct", mold, Order::kChunk);
  draft.line("buffer in user whole").line("buffer out user blocks N");
  draft.line("stage tx s=1..N-1 channel 0 send in -> (r+s)%N");
  draft.line("stage own copy out[r] = in");
  draft.line("stage rx s=1..N-1 channel 0 recv out[(r-s)%N] <- (r-s)%N");
  return std::move(draft).finish();
}

Plan gather(const Mold& mold) {
  Draft draft("direct", mold, Order::kChunk);
  draft.line("buffer in user whole").line("buffer out user blocks N");
  draft.line("stage tx when v!=0 channel 0 send in -> root");
  draft.line("stage own when v==0 copy out[r] = in");
  draft.line("stage rx s=1..N-1 when v==0 channel 0 recv out[(r+s)%N] <- (r+s)%N");
  return std::move(draft).finish();
}

Plan scatter(const Mold& mold) {
  Draft draft("direct", mold, Order::kChunk);
  draft.line("buffer in user blocks N").line("buffer out user whole");
  draft.line("stage tx s=1..N-1 when v==0 channel 0 send in[(r+s)%N] -> (r+s)%N");
  draft.line("stage own when v==0 copy out = in[r]");
  draft.line("stage rx when v!=0 channel 0 recv out <- root");
  return std::move(draft).finish();
}

Plan plan(const Mold& mold) {
  switch (mold.collective) {
    case Collective::kAllReduce: return allreduce(mold);
    case Collective::kReduceScatter: return reduce_scatter(mold);
    case Collective::kReduce: return reduce(mold);
    case Collective::kBroadcast: return broadcast(mold);
    case Collective::kAllGather: return all_gather(mold);
    case Collective::kGather: return gather(mold);
    default: return scatter(mold);
  }
}

// Everybody to everybody: `rounds` exchanges of M(N-1)/N bytes.
Terms exchange(const Question& q, std::uint64_t rounds) {
  const std::uint64_t part = q.bytes / q.n();
  const std::uint64_t moved = q.bytes - part;
  Terms terms;
  terms.latency_ns = rounds * q.fabric.pairs.alpha_ns;
  terms.messages = rounds * ((q.n() - 1) * q.slices(part) - 1);
  terms.wire_ns = incast(q, q.fabric.pairs.wire_ns(rounds * moved));
  terms.busiest = 2 * rounds * moved +
                  (reduces(q.collective) ? q.staged(moved) : 0);  // copied in once; folded, or copied out, once
  terms.total = q.n() * terms.busiest;
  return terms;
}

// An allreduce whose result is copied once for all readers, and into the caller's buffer. Small slices go by copy.
Terms within_memory(const Question& q) {
  constexpr std::uint64_t kByReference = 4096;
  Terms terms = exchange(q, 2);
  const std::uint64_t part = q.bytes / q.n();
  if (!publishes(true, q.fabric.ranks())) return terms;
  terms.busiest += part;
  if (part >= kByReference) terms.busiest -= q.bytes - part;
  terms.total = q.n() * terms.busiest;
  return terms;
}

// Everybody with the root: `moved` bytes through it, which it also reads or stores.
Terms star(const Question& q, std::uint64_t each) {
  Terms terms;
  terms.latency_ns = q.fabric.rooted.alpha_ns;
  terms.messages = (q.n() - 1) * q.slices(each) - 1;
  terms.wire_ns = incast(q, q.fabric.rooted.wire_ns((q.n() - 1) * each));
  terms.busiest = (q.n() - 1) * each;
  terms.total = 2 * terms.busiest;
  return terms;
}

Terms terms(const Question& q) {
  Terms terms;
  switch (q.collective) {
    case Collective::kAllReduce: terms = q.fabric.has_wire() ? exchange(q, 2) : within_memory(q); break;
    case Collective::kReduceScatter:
    case Collective::kAllGather: terms = exchange(q, 1); break;
    case Collective::kReduce:
    case Collective::kBroadcast: terms = star(q, q.bytes); break;
    default: terms = star(q, q.bytes / q.n()); break;
  }
  if (q.collective == Collective::kReduce) terms.busiest += q.staged((q.n() - 1) * q.bytes);
  if (reduces(q.collective)) terms.landing = q.n() * static_cast<std::uint64_t>(q.window) * q.slice;
  return terms;
}

}  // namespace

constexpr Family kDirect = {"direct", false, exists, plan, terms};

}  // namespace amalgam::plan
