// Send and receive: every rank sends its input to the next rank and receives from the one before, in one group.
// NCCL has no in-place form.

#include "collective.h"

namespace {

using perf::Call;
using perf::Piece;
using perf::Place;

ncclResult_t call(const Call& c) {
  ncclResult_t result = ncclGroupStart();
  if (result != ncclSuccess) return result;
  const ncclResult_t sent = ncclSend(c.send, c.count, c.type, (c.rank + 1) % c.ranks, c.comm, c.stream);
  const ncclResult_t received =
      ncclRecv(c.receive, c.count, c.type, (c.rank + c.ranks - 1) % c.ranks, c.comm, c.stream);
  result = ncclGroupEnd();
  if (sent != ncclSuccess && sent != ncclInProgress) return sent;
  return received != ncclSuccess && received != ncclInProgress ? received : result;
}

std::vector<Piece> expect(const Place& place) {
  return {{0, place.count, (place.rank + place.ranks - 1) % place.ranks, 0}};
}

constexpr perf::Collective kCollective = {.program = "sendrecv_perf",
                                          .predicted = AMALGAM_SEND,
                                          .in_place = false,
                                          .bus_factor = perf::factor_one,
                                          .call = call,
                                          .expect = expect};

}  // namespace

int main(int argc, char** argv) { return perf::perf_main(argc, argv, kCollective); }
