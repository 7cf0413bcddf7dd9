#pragma once

// What one call asks for, by value: nothing of the caller's but the two buffers is referenced after the call returned.

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/types.h"

namespace amalgam {

struct Request {
  Collective collective = Collective::kAllReduce;
  DataType type = DataType::kFloat32;
  ReduceOp op = ReduceOp::kSum;
  int root = 0;                       // root of rooted collectives, peer of send and recv, else 0
  const void* in = nullptr;           // send buffer; may be null where this rank's is not read
  void* out = nullptr;                // receive buffer; may be null where this rank's is not written
  std::uint64_t count = 0;            // elements, as the NCCL argument of the same call
  std::uint64_t stride = 0;           // elements from one rank's block to the next in a buffer of blocks; 0: count
  std::array<std::byte, 8> scalar{};  // premulsum: one element of `type`, captured when the call was made
  const void* scalar_at = nullptr;    // premulsum: where the scalar is read when the operation runs; null: `scalar`
  const void* stream = nullptr;       // order only

  // alltoallv: elements per rank, and displacements in elements. Null otherwise.
  struct Vectors {
    std::vector<std::uint64_t> send_counts, send_offsets, receive_counts, receive_offsets;
  };
  std::shared_ptr<const Vectors> vectors;  // shared: the queued request and the running operation both read it
};

// The sends and receives that an alltoall, alltoallv, gather or scatter is on one rank: by peer, to it before from it,
// the own rank included.
std::vector<Request> messages_of(const Request& call, int rank, int ranks);

}  // namespace amalgam
