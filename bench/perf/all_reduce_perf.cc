// Allreduce: every rank ends with the reduction of all inputs.

#include "collective.h"

namespace {

using perf::Call;
using perf::Piece;
using perf::Place;

ncclResult_t call(const Call& c) { return ncclAllReduce(c.send, c.receive, c.count, c.type, c.op, c.comm, c.stream); }

std::vector<Piece> expect(const Place& place) { return {{0, place.count, Piece::kReduced, 0}}; }

constexpr perf::Collective kCollective = {.program = "all_reduce_perf",
                                          .predicted = AMALGAM_ALLREDUCE,
                                          .reduces = true,
                                          .bus_factor = perf::factor_twice_others,
                                          .call = call,
                                          .expect = expect};

}  // namespace

int main(int argc, char** argv) { return perf::perf_main(argc, argv, kCollective); }
