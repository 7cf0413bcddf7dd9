// Broadcast: every rank ends with the root's input.

#include "collective.h"

namespace {

using perf::Call;
using perf::Piece;
using perf::Place;

ncclResult_t call(const Call& c) { return ncclBroadcast(c.send, c.receive, c.count, c.type, c.root, c.comm, c.stream); }

std::vector<Piece> expect(const Place& place) { return {{0, place.count, place.root, 0}}; }

constexpr perf::Collective kCollective = {.program = "broadcast_perf",
                                          .predicted = AMALGAM_BROADCAST,
                                          .rooted = true,
                                          .bus_factor = perf::factor_one,
                                          .call = call,
                                          .expect = expect};

}  // namespace

int main(int argc, char** argv) { return perf::perf_main(argc, argv, kCollective); }
