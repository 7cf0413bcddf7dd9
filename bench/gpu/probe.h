#pragma once

// What the parts of gpu_probe share. A part measures or checks one thing on a device and gives its figures; what fails
// throws. NCCL is whichever library the process has: preloaded, or the one that the program was linked with.
//
// Data is checked with nothing but fills and copies: no kernel of ours is needed, so no compiler for the device either.

#include <nccl.h>

#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "../device/runtime.h"

namespace gpu {

using Figures = nlohmann::ordered_json;

struct Options {
  std::string runtime;  // file; empty: the usual ones
  int device = 0;
  std::string vendor_library;  // the vendor's NCCL, for comparison
  std::size_t bytes = 64 << 20;
  int rounds = 20;
};

void check(ncclResult_t result, const char* call);
double now_us();
double median(std::vector<double> values);

// A device, entered by the calling thread.
struct Device {
  explicit Device(const Options& options);
  void* allocate(std::size_t bytes) const;
  bench::Stream make_stream() const;
  void copy(void* to, const void* from, std::size_t bytes, int kind, bench::Stream stream) const;
  void fill(void* to, int byte, std::size_t bytes, bench::Stream stream) const;
  void wait(bench::Stream stream) const;

  bench::Runtime runtime;
};

// Rank 0 on the device (in the calling thread) beside a CPU rank in another thread: a mixed communicator in one
// process.
struct Member {
  int rank;
  ncclComm_t comm;
};
void beside_a_cpu_rank(const std::function<void(const Member&)>& on_device,
                       const std::function<void(const Member&)>& on_cpu);

Figures machine(const Options& options);     // copies, memory
Figures exchange(const Options& options);    // two processes, bare: the floor
Figures delegation(const Options& options);  // what a delegated call costs more
Figures graphs(const Options& options);      // capture, replay, and the refusal on mixed communicators
Figures streams(const Options& options);     // 32 streams and the null stream, parked before the peer enters
Figures ending_by_abort(const Options& options);
Figures ending_by_kill(const Options& options);

}  // namespace gpu
