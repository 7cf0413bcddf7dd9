// Reducescatter: rank r ends with block r of the reduction of all inputs.

#include "collective.h"

namespace {

using perf::Call;
using perf::Piece;
using perf::Place;

ncclResult_t call(const Call& c) {
  return ncclReduceScatter(c.send, c.receive, c.count, c.type, c.op, c.comm, c.stream);
}

std::vector<Piece> expect(const Place& place) {
  return {{0, place.count, Piece::kReduced, static_cast<std::size_t>(place.rank) * place.count}};
}

constexpr perf::Collective kCollective = {.program = "reduce_scatter_perf",
                                          .predicted = AMALGAM_REDUCESCATTER,
                                          .send = perf::Blocks::kPerRank,
                                          .reduces = true,
                                          .bus_factor = perf::factor_others,
                                          .call = call,
                                          .expect = expect};

}  // namespace

int main(int argc, char** argv) { return perf::perf_main(argc, argv, kCollective); }
