// Scatter: rank r ends with block r of the root's input.

#include "collective.h"

namespace {

using perf::Call;
using perf::Piece;
using perf::Place;

ncclResult_t call(const Call& c) { return ncclScatter(c.send, c.receive, c.count, c.type, c.root, c.comm, c.stream); }

std::vector<Piece> expect(const Place& place) {
  return {{0, place.count, place.root, static_cast<std::size_t>(place.rank) * place.count}};
}

constexpr perf::Collective kCollective = {.program = "scatter_perf",
                                          .predicted = AMALGAM_SCATTER,
                                          .send = perf::Blocks::kPerRank,
                                          .rooted = true,
                                          .bus_factor = perf::factor_others,
                                          .call = call,
                                          .expect = expect};

}  // namespace

int main(int argc, char** argv) { return perf::perf_main(argc, argv, kCollective); }
