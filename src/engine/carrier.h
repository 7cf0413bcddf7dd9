#pragma once

// Carries a call on 16- or 8-bit floats as the same call on fp32, so that it is rounded once whatever the plan does at
// its hops (docs/numerics.md §5).
//
// The fp32 call runs in place in the carrier's memory. load() widens the caller's input into it, store() rounds what
// came out into the caller's output. Each does a part at a time, so that neither another operation of the thread nor an
// abort waits for all of a large buffer. The memory is kept for the next call.
//
// Threads    one at a time           Ownership  the caller's buffers outlive the run
// Errors     kSystem: no memory

#include <cstddef>
#include <cstdint>

#include "base/request.h"
#include "base/status.h"
#include "engine/kept_memory.h"

namespace amalgam::engine {

class Carrier {
 public:
  // `called`: allreduce, reduce or reducescatter of a narrow float. request() is then the call to run.
  Status bind(const Request& called, int rank, int ranks);
  const Request& request() const { return request_; }

  bool load();   // true: all of the input is in
  bool store();  // true: all of the output is out

 private:
  Request request_;
  DataType type_{};  // the caller's
  const std::byte* in_ = nullptr;
  std::byte* out_ = nullptr;
  std::uint64_t in_count_ = 0, out_count_ = 0;  // elements of this rank's buffers
  std::uint64_t block_count_ = 1, stride_ = 1;  // elements of one block, and from one to the next
  std::uint64_t loaded_ = 0, stored_ = 0;
  float* floats_ = nullptr;  // in memory_
  KeptMemory memory_;
};

}  // namespace amalgam::engine
