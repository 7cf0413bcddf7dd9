// Reduce: the root ends with the reduction of all inputs.

#include "collective.h"

namespace {

using perf::Call;
using perf::Piece;
using perf::Place;

ncclResult_t call(const Call& c) {
  return ncclReduce(c.send, c.receive, c.count, c.type, c.op, c.root, c.comm, c.stream);
}

std::vector<Piece> expect(const Place& place) {
  if (place.rank != place.root) return {};
  return {{0, place.count, Piece::kReduced, 0}};
}

constexpr perf::Collective kCollective = {.program = "reduce_perf",
                                          .predicted = AMALGAM_REDUCE,
                                          .reduces = true,
                                          .rooted = true,
                                          .bus_factor = perf::factor_one,
                                          .call = call,
                                          .expect = expect};

}  // namespace

int main(int argc, char** argv) { return perf::perf_main(argc, argv, kCollective); }
