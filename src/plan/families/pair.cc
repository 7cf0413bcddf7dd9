// Pair: one rank sends to one other; `root` is the peer. Both sides of an exchange match whatever the calls were named.
//
// send, recv   steps 1    bytes M    cost  α + (K-1)·o + M·β + 2M of work on two cores

#include "plan/families/families.h"

namespace amalgam::plan {
namespace {

Plan plan(const Mold& mold) {
  Draft draft("pair", mold, Order::kChunk);
  if (mold.collective == Collective::kSend)
    draft.line("buffer in user whole").line("stage tx channel 0 send in -> root");
  else
    draft.line("buffer out user whole").line("stage rx channel 0 recv out <- root");
  return std::move(draft).finish();
}

Terms terms(const Question& q) {
  Terms terms;
  terms.latency_ns = q.fabric.link.alpha_ns;
  terms.messages = q.slices(q.bytes) - 1;
  terms.wire_ns = q.fabric.link.wire_ns(q.bytes);
  terms.busiest = q.bytes;
  terms.total = 2 * q.bytes;
  return terms;
}

}  // namespace

constexpr Family kPair = {"pair", false, is_pair, plan, terms};

}  // namespace amalgam::plan
