// Gather: the root ends with all inputs, in the order of the ranks.

#include "collective.h"

namespace {

using perf::Call;
using perf::Piece;
using perf::Place;

ncclResult_t call(const Call& c) { return ncclGather(c.send, c.receive, c.count, c.type, c.root, c.comm, c.stream); }

std::vector<Piece> expect(const Place& place) {
  if (place.rank != place.root) return {};
  return perf::pieces_of_all(place);
}

constexpr perf::Collective kCollective = {.program = "gather_perf",
                                          .predicted = AMALGAM_GATHER,
                                          .receive = perf::Blocks::kPerRank,
                                          .rooted = true,
                                          .bus_factor = perf::factor_others,
                                          .call = call,
                                          .expect = expect};

}  // namespace

int main(int argc, char** argv) { return perf::perf_main(argc, argv, kCollective); }
