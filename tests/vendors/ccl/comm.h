#pragma once

// A stand-in communicator and its kernels: what one group asks of one communicator is one kernel in the caller's
// stream, which ends when all of it is done or the communicator is aborted.

#include <atomic>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#ifndef AMALGAM_NO_DEVICE_HEADERS
#define AMALGAM_NO_DEVICE_HEADERS 1  // the stand-in declares the runtime itself
#endif
#include "nccl.h"
#include "tests/vendors/ccl/segment.h"
#include "tests/vendors/nvidia/face.h"

struct ncclComm {
  std::uint64_t magic = 0;
  int rank = 0, ranks = 1, device = 0;
  bool blocking = true;
  standin_ccl::Segment* segment = nullptr;
  std::string name;
  std::atomic<bool> aborted{false};
  std::atomic<bool> revoked{false};
  std::atomic<bool> joining{false};
  std::atomic<int> state{ncclInProgress};  // until all have joined
  bool finalized = false;
  std::uint64_t splits = 0, shrinks = 0;  // part of the children's names
  std::vector<void*> windows;
  void* scratch = nullptr;     // of the windows
  cudaEvent_t last = nullptr;  // after its last kernel: issue order is execution order
  std::uint64_t collectives = 0;
  std::uint64_t sent[standin_ccl::kMostRanks] = {}, received[standin_ccl::kMostRanks] = {};  // chunks
  std::atomic<int> running{0};                                                               // kernels
};

namespace standin_ccl {

enum class Kind {
  kAllReduce,
  kReduce,
  kBroadcast,
  kReduceScatter,
  kAllGather,
  kAllToAll,
  kGather,
  kScatter,
  kSend,
  kRecv
};

struct Scalar {
  bool used = false;
  const void* at = nullptr;  // device memory; null: `bytes`
  unsigned char bytes[8] = {};
};

struct Call {
  Kind kind;
  const void* in;
  void* out;
  std::size_t count;
  int type, op, root;  // or peer
  Scalar scalar;
  ncclComm* comm;
  cudaStream_t stream;
};

std::size_t size_of(int type);
bool reduces(Kind kind);
// Queues a kernel for each communicator that `calls` name, in the order of their first calls.
ncclResult_t launch(const std::vector<Call>& calls);

// out[i] = op over operands[r][i]; scalars multiply each rank's operand first; avg divides at the end.
void reduce(int type, int op, void* out, const std::vector<const void*>& operands,
            const std::vector<const void*>& scalars, std::size_t count);

struct Counters {
  std::atomic<std::uint64_t> calls[10];
  std::atomic<std::uint64_t> communicators, refused, aborted;
  std::atomic<std::uint64_t> bytes;  // count x element of every call
};
Counters& counters();

}  // namespace standin_ccl
