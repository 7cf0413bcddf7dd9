// AlltoAllv: counts and displacements per rank, copied during the call. The arrays must not be null; a buffer may be
// null where all of its counts are 0.

#include <cstdint>
#include <memory>
#include <vector>

#include "abi/call.h"

namespace amalgam::abi {
namespace {

struct Part {
  const char* counts_name;
  const char* offsets_name;
  const char* buffer_name;
  const std::size_t* counts;
  const std::size_t* offsets;
  const void* buffer;
};

Status check_part(const char* function, const Part& part, int ranks, std::size_t element) {
  AMALGAM_TRY(check_pointer(function, part.counts_name, part.counts));
  AMALGAM_TRY(check_pointer(function, part.offsets_name, part.offsets));
  const std::size_t limit = static_cast<std::size_t>(PTRDIFF_MAX) / element;
  bool any = false;
  for (int rank = 0; rank < ranks; ++rank) {
    if (part.counts[rank] > limit || part.offsets[rank] > limit - part.counts[rank])
      return invalid_argument("{}: {}[{}] + {}[{}] exceeds the address space", function, part.counts_name, rank,
                              part.offsets_name, rank);
    any = any || part.counts[rank] != 0;
  }
  return any ? check_pointer(function, part.buffer_name, part.buffer) : Status{};
}

std::vector<std::uint64_t> copied(const std::size_t* values, int ranks) { return {values, values + ranks}; }

Status exchange(const Call& call, const Part& send, const Part& receive) {
  Result<Request> request = check_call(call);
  if (!request.ok()) return request.status();
  launch::Communicator* communicator = communicator_of(call.comm);
  const int ranks = launch::properties(communicator).ranks;
  AMALGAM_TRY(check_part(call.function, send, ranks, size_of(request->type)));
  AMALGAM_TRY(check_part(call.function, receive, ranks, size_of(request->type)));
  auto vectors = std::make_shared<Request::Vectors>();
  vectors->send_counts = copied(send.counts, ranks);
  vectors->send_offsets = copied(send.offsets, ranks);
  vectors->receive_counts = copied(receive.counts, ranks);
  vectors->receive_offsets = copied(receive.offsets, ranks);
  request->in = call.in;
  request->out = call.out;
  request->vectors = std::move(vectors);
  return launch::enqueue(communicator, request.take());
}

}  // namespace
}  // namespace amalgam::abi

using amalgam::abi::Call;
using amalgam::abi::Part;

namespace {

Call call_of(const char* function, const void* in, void* out, ncclDataType_t type, ncclComm_t comm,
             ncclStream_t stream) {
  return {.function = function,
          .collective = amalgam::Collective::kAllToAllV,
          .in = in,
          .out = out,
          .count = 0,
          .type = amalgam::abi::raw_value(type),
          .comm = comm,
          .stream = stream};
}

ncclResult_t run(const Call& call, const size_t sendcounts[], const size_t sdispls[], const size_t recvcounts[],
                 const size_t rdispls[]) {
  const Part send{"sendcounts", "sdispls", "sendbuff", sendcounts, sdispls, call.in};
  const Part receive{"recvcounts", "rdispls", "recvbuff", recvcounts, rdispls, call.out};
  return amalgam::abi::groupable_entry(call.function, [&] { return exchange(call, send, receive); });
}

}  // namespace

ncclResult_t pncclAlltoAllv(const void* sendbuff, const size_t sendcounts[], const size_t sdispls[], void* recvbuff,
                            const size_t recvcounts[], const size_t rdispls[], ncclDataType_t datatype, ncclComm_t comm,
                            ncclStream_t stream) {
  return run(call_of("ncclAlltoAllv", sendbuff, recvbuff, datatype, comm, stream), sendcounts, sdispls, recvcounts,
             rdispls);
}
AMALGAM_PUBLIC_NAME(ncclAlltoAllv);

ncclResult_t pncclAllToAllv(const void* sendbuff, const size_t sendcounts[], const size_t sdispls[], void* recvbuff,
                            const size_t recvcounts[], const size_t rdispls[], ncclDataType_t datatype, ncclComm_t comm,
                            ncclStream_t stream) {
  return run(call_of("ncclAllToAllv", sendbuff, recvbuff, datatype, comm, stream), sendcounts, sdispls, recvcounts,
             rdispls);
}
AMALGAM_PUBLIC_NAME(ncclAllToAllv);
