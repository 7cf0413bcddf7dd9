#pragma once

// One collective or point-to-point call on its way from an exported function to the launch layer: checked in NCCL's
// order (communicator, root, type, operation, buffers), then handed over as a Request.
//
// A buffer may be null where this rank's is neither read nor written: count 0 anywhere, the send buffer of a broadcast
// or scatter off the root, the receive buffer of a reduce or gather off the root.

#include "abi/entry.h"

namespace amalgam::abi {

struct Call {
  const char* function;
  Collective collective;
  const void* in;
  void* out;
  std::size_t count;
  int type;  // as passed, unchecked
  ncclComm_t comm;
  ncclStream_t stream;
  int root = 0;  // or peer
  int op = 0;    // builtin or handle; looked at by reductions
};

// All of it: checks, group error, enqueue.
ncclResult_t run(const Call& call);

// The checks that do not concern buffers; fills everything of the request but the buffers and vectors.
Result<Request> check_call(const Call& call);

}  // namespace amalgam::abi
