// Alltoall: block r of every input goes to rank r. NCCL has no in-place form.

#include "collective.h"

namespace {

using perf::Call;
using perf::Piece;
using perf::Place;

ncclResult_t call(const Call& c) { return ncclAlltoAll(c.send, c.receive, c.count, c.type, c.comm, c.stream); }

std::vector<Piece> expect(const Place& place) {
  std::vector<Piece> pieces = perf::pieces_of_all(place);
  for (Piece& piece : pieces) piece.start = static_cast<std::size_t>(place.rank) * place.count;
  return pieces;
}

constexpr perf::Collective kCollective = {.program = "alltoall_perf",
                                          .predicted = AMALGAM_ALLTOALL,
                                          .send = perf::Blocks::kPerRank,
                                          .receive = perf::Blocks::kPerRank,
                                          .in_place = false,
                                          .bus_factor = perf::factor_others,
                                          .call = call,
                                          .expect = expect};

}  // namespace

int main(int argc, char** argv) { return perf::perf_main(argc, argv, kCollective); }
