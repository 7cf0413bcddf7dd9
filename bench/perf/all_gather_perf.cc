// Allgather: every rank ends with all inputs, in the order of the ranks.

#include "collective.h"

namespace {

using perf::Call;

ncclResult_t call(const Call& c) { return ncclAllGather(c.send, c.receive, c.count, c.type, c.comm, c.stream); }

constexpr perf::Collective kCollective = {.program = "all_gather_perf",
                                          .predicted = AMALGAM_ALLGATHER,
                                          .receive = perf::Blocks::kPerRank,
                                          .bus_factor = perf::factor_others,
                                          .call = call,
                                          .expect = perf::pieces_of_all};

}  // namespace

int main(int argc, char** argv) { return perf::perf_main(argc, argv, kCollective); }
