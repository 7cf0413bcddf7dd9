#include "abi/call.h"

#include <cstdint>

namespace amalgam::abi {
namespace {

bool has_root(Collective collective) {
  switch (collective) {
    case Collective::kReduce:
    case Collective::kBroadcast:
    case Collective::kGather:
    case Collective::kScatter:
    case Collective::kSend:
    case Collective::kRecv: return true;
    default: return false;
  }
}

bool reads_input(Collective collective, bool at_root) {
  if (collective == Collective::kBroadcast || collective == Collective::kScatter) return at_root;
  return collective != Collective::kRecv;
}

bool writes_output(Collective collective, bool at_root) {
  if (collective == Collective::kReduce || collective == Collective::kGather) return at_root;
  return collective != Collective::kSend;
}

// Blocks of `count` elements in the larger of the two buffers.
std::size_t blocks(Collective collective, int ranks) {
  switch (collective) {
    case Collective::kReduceScatter:
    case Collective::kAllGather:
    case Collective::kAllToAll:
    case Collective::kGather:
    case Collective::kScatter: return static_cast<std::size_t>(ranks);
    default: return 1;
  }
}

Status check_root(const Call& call, int ranks) {
  if (!has_root(call.collective) || (call.root >= 0 && call.root < ranks)) return {};
  return invalid_argument("{}: {} {} is not a rank of this communicator (0 to {})", call.function,
                          is_pair(call.collective) ? "peer" : "root", call.root, ranks - 1);
}

Status check_operation(const Call& call, launch::Communicator* communicator, Request* request) {
  if (!reduces(call.collective)) return {};
  if (call.op < 0) return invalid_argument("{}: {} is not a reduction operation", call.function, call.op);
  if (call.op >= ncclNumOps) return launch::resolve_operation(communicator, call.op, request);
  request->op = static_cast<ReduceOp>(call.op);
  return {};
}

Status check_size(const Call& call, int ranks, DataType type) {
  std::size_t elements = 0, bytes = 0;  // of the larger buffer
  if (!__builtin_mul_overflow(call.count, blocks(call.collective, ranks), &elements) &&
      !__builtin_mul_overflow(elements, size_of(type), &bytes) && bytes <= static_cast<std::size_t>(PTRDIFF_MAX))
    return {};
  return invalid_argument("{}: count {} of {} on {} ranks exceeds the address space", call.function, call.count,
                          name_of(type), ranks);
}

Status check_buffers(const Call& call, int rank) {
  if (call.count == 0) return {};
  const bool at_root = rank == call.root;
  if (reads_input(call.collective, at_root)) AMALGAM_TRY(check_pointer(call.function, "sendbuff", call.in));
  if (writes_output(call.collective, at_root)) AMALGAM_TRY(check_pointer(call.function, "recvbuff", call.out));
  return {};
}

}  // namespace

Result<Request> check_call(const Call& call) {
  if (Status status = check_communicator(call.function, call.comm); !status.ok()) return status;
  launch::Communicator* communicator = communicator_of(call.comm);
  const int ranks = launch::properties(communicator).ranks;
  if (Status status = check_root(call, ranks); !status.ok()) return status;
  if (call.type < 0 || call.type >= kDataTypes)
    return invalid_argument("{}: {} is not a data type", call.function, call.type);

  Request request;
  request.collective = call.collective;
  request.type = static_cast<DataType>(call.type);
  request.root = call.root;
  request.count = call.count;
  request.stream = call.stream;
  if (Status status = check_size(call, ranks, request.type); !status.ok()) return status;
  if (Status status = check_operation(call, communicator, &request); !status.ok()) return status;
  return request;
}

ncclResult_t run(const Call& call) {
  return groupable_entry(call.function, [&]() -> Status {
    Result<Request> request = check_call(call);
    if (!request.ok()) return request.status();
    launch::Communicator* communicator = communicator_of(call.comm);
    AMALGAM_TRY(check_buffers(call, launch::properties(communicator).rank));
    request->in = call.in;
    request->out = call.out;
    return launch::enqueue(communicator, request.take());
  });
}

}  // namespace amalgam::abi
