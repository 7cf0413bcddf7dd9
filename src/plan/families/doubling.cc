// Recursive doubling: in step s each rank swaps its partial result with the rank whose number differs in bit s.
//
// allreduce (any N; P: largest power of two ≤ N, l = log2 P)
//   steps  l, and 2 more where N is no power of two: ranks from P on fold into r-P first and get the result back
//   bytes  M·l on the busiest rank, each way
//   cost   l·α + 2M·l of work; N = 2: one exchange, the shortest plan there is
//   good   small M
//   bad    large M: every step carries everything
//   from   Thakur, Rabenseifner and Gropp, Optimization of collective communication operations in MPICH, IJHPCA 2005
//
// A rank may fold into `out` only when the same range has left for its partner, and the partner likewise: a lane must
// hold one slice (credits 1).

#include <bit>

#include "plan/families/families.h"

namespace amalgam::plan {
namespace {

bool exists(Collective collective) { return collective == Collective::kAllReduce; }

int log_of(int ranks) { return std::bit_width(static_cast<unsigned>(ranks)) - 1; }

// N is a power of two: the first exchange reads `in`, so nothing is copied.
void exchange_all(Draft& draft, int steps) {
  draft.line("stage tx0 channel 0 send in -> r^1");
  draft.line("stage rx0 channel 0 reduce out = in + recv <- r^1 ", steps == 1 ? "finish " : "", "after tx0");
  if (steps == 1) return;
  const bool middle = steps > 2;
  if (middle) {
    draft.line("stage tx s=1..L-2 channel 0 send out -> r^1<<s after rx0, rx[s-1]");
    draft.line("stage rx s=1..L-2 channel 0 reduce out = out + recv <- r^1<<s after tx");
  }
  draft.line("stage txl channel 0 send out -> r^1<<L-1 after ", middle ? "rx[L-2]" : "rx0");
  draft.line("stage rxl channel 0 reduce out = out + recv <- r^1<<L-1 finish after txl");
}

// N is none: ranks P … N-1 sit the exchange out.
void exchange_some(Draft& draft, int steps) {
  draft.line("stage fold_tx when r>=P channel 0 send in -> r-P");
  draft.line("stage fold_rx when r<N-P channel 0 reduce out = in + recv <- r+P");
  draft.line("stage start when r>=N-P&&r<P copy out = in");
  const bool middle = steps > 1;
  if (middle) {
    draft.line("stage tx s=0..L-3 when r<P channel 0 send out -> r^1<<s after fold_rx, start, rx[s-1]");
    draft.line("stage rx s=0..L-3 when r<P channel 0 reduce out = out + recv <- r^1<<s after tx");
  }
  draft.line("stage txl when r<P channel 0 send out -> r^1<<L-2 after ", middle ? "rx[L-3]" : "fold_rx, start");
  draft.line("stage rxl when r<P channel 0 reduce out = out + recv <- r^1<<L-2 finish after txl");
  draft.line("stage back_tx when r<N-P channel 0 send out -> r+P after rxl");
  draft.line("stage back_rx when r>=P channel 0 recv out <- r-P after fold_tx");
}

Plan plan(const Mold& mold) {
  Draft draft("doubling", mold, Order::kStep, /*credits=*/1);
  draft.line("buffer in user whole");
  draft.line("buffer out user whole");
  const bool power = std::has_single_bit(static_cast<unsigned>(mold.ranks));
  if (power)
    exchange_all(draft, log_of(mold.ranks));
  else
    exchange_some(draft, log_of(mold.ranks));
  return std::move(draft).finish();
}

Terms terms(const Question& q) {
  const auto steps = static_cast<std::uint64_t>(log_of(q.fabric.ranks()));
  const std::uint64_t power = std::uint64_t{1} << steps;
  const std::uint64_t extra = q.n() - power;
  const std::uint64_t hops = steps + (extra > 0 ? 2 : 0);
  Terms terms;
  for (std::uint64_t s = 0; s < steps; ++s) {
    terms.latency_ns += q.fabric.powers[s].alpha_ns;
    terms.wire_ns += q.fabric.powers[s].wire_ns(q.bytes);
  }
  if (extra > 0) {  // r and r-P differ in bit l alone
    terms.latency_ns += 2 * q.fabric.powers[steps].alpha_ns;
    terms.wire_ns += 2 * q.fabric.powers[steps].wire_ns(q.bytes);
  }
  terms.messages = hops * (q.slices(q.bytes) - 1);
  terms.busiest = 2 * hops * q.bytes - (extra > 0 ? 2 * q.bytes : 0) + q.staged(steps * q.bytes);
  terms.total = (2 * power * steps + 4 * extra) * q.bytes + q.staged(power * steps * q.bytes);
  return terms;
}

}  // namespace

constexpr Family kDoubling = {"doubling", false, exists, plan, terms};

}  // namespace amalgam::plan
