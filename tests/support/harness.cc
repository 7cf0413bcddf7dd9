#include "support/harness.h"

#include <cstring>

namespace support {
namespace {

constexpr unsigned char kPattern = 0xa5;
constexpr std::size_t kGuard = 64;

// In place as NCCL allows it: where the rank's block lies inside the larger of the two buffers.
void place(Buffers& b) {
  const Case& c = b.what;
  const std::size_t block = c.count * size_of(c.type);
  const auto own = static_cast<std::size_t>(b.rank) * block;
  const auto root = static_cast<std::size_t>(c.root) * block;
  switch (c.call) {
    case Call::kAllReduce:
    case Call::kReduce:
    case Call::kBroadcast: b.receive = b.send; break;
    case Call::kAllGather: b.send = b.receive + own; break;
    case Call::kReduceScatter: b.receive = b.send + own; break;
    case Call::kGather:
      if (b.rank == c.root) b.send = b.receive + root;
      break;
    case Call::kScatter:
      if (b.rank == c.root) b.receive = b.send + root;
      break;
    case Call::kAllToAll: break;
  }
}

}  // namespace

Buffers::Buffers(const Case& c, int which, std::size_t misalign) : what(c), rank(which) {
  const std::size_t size = size_of(c.type);
  const std::size_t largest = c.count * static_cast<std::size_t>(c.ranks) * size + misalign * size + 2 * kGuard;
  send_memory.assign(largest, kPattern);
  receive_memory.assign(largest, kPattern);
  send = send_memory.data() + kGuard + misalign * size;
  receive = receive_memory.data() + kGuard + misalign * size;
  if (c.in_place) place(*this);
  for (std::size_t i = 0; i < send_elements(c, rank); ++i) store(send + i * size, c.type, input(c, rank, i));
}

::testing::AssertionResult Buffers::check() const {
  const std::size_t size = size_of(what.type);
  const std::size_t received = receive_elements(what, rank);
  for (std::size_t i = 0; i < received; ++i) {
    const double got = load(receive + i * size, what.type), want = expected(what, rank, i);
    if (!close(what, got, want))
      return ::testing::AssertionFailure()
             << name_of(what.call) << " type " << what.type << " op " << what.op << " count " << what.count << " root "
             << what.root << " ranks " << what.ranks << " in place " << what.in_place << " seed " << what.seed
             << ": rank " << rank << " element " << i << " is " << got << ", not " << want;
  }
  if (what.in_place) return ::testing::AssertionSuccess();
  const unsigned char* end = receive_memory.data() + receive_memory.size();
  for (const unsigned char* at = receive + received * size; at < end; ++at)
    if (*at != kPattern)
      return ::testing::AssertionFailure()
             << name_of(what.call) << " wrote " << (at - receive) << " bytes into the receive buffer of rank " << rank
             << ", beyond its " << received * size;
  return ::testing::AssertionSuccess();
}

ncclResult_t issue(const Case& c, const Buffers& b, ncclRedOp_t op, ncclComm_t comm) {
  switch (c.call) {
    case Call::kAllReduce: return ncclAllReduce(b.send, b.receive, c.count, c.type, op, comm, nullptr);
    case Call::kReduce: return ncclReduce(b.send, b.receive, c.count, c.type, op, c.root, comm, nullptr);
    case Call::kBroadcast: return ncclBroadcast(b.send, b.receive, c.count, c.type, c.root, comm, nullptr);
    case Call::kReduceScatter: return ncclReduceScatter(b.send, b.receive, c.count, c.type, op, comm, nullptr);
    case Call::kAllGather: return ncclAllGather(b.send, b.receive, c.count, c.type, comm, nullptr);
    case Call::kAllToAll: return ncclAlltoAll(b.send, b.receive, c.count, c.type, comm, nullptr);
    case Call::kGather: return ncclGather(b.send, b.receive, c.count, c.type, c.root, comm, nullptr);
    case Call::kScatter: return ncclScatter(b.send, b.receive, c.count, c.type, c.root, comm, nullptr);
  }
  return ncclInvalidArgument;
}

void run_case(const Rank& self, const Case& c, std::size_t misalign) {
  Buffers buffers(c, self.rank, misalign);
  ncclRedOp_t op = static_cast<ncclRedOp_t>(c.op);
  if (c.op == kPreMulSum && reduces(c.call)) {
    unsigned char scalar[8] = {};
    store(scalar, c.type, scalar_of(c, self.rank));
    NCCL_OK(ncclRedOpCreatePreMulSum(&op, scalar, c.type, ncclScalarHostImmediate, self.comm));
  }
  NCCL_OK(issue(c, buffers, op, self.comm));
  EXPECT_TRUE(buffers.check());
  if (c.op == kPreMulSum && reduces(c.call)) NCCL_OK(ncclRedOpDestroy(op, self.comm));
}

}  // namespace support
