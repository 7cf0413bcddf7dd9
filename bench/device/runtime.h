#pragma once

// A device runtime of CUDA's shape, as far as the benchmarks use it: opened by name when a benchmark runs, so that they
// are built without any SDK. Members are the runtime's functions without their prefix; 0 is success.
//
// Threads    any      Ownership  never closed      Errors  std::runtime_error

#include <cstddef>
#include <cstdint>
#include <string>

namespace bench {

using Stream = struct CUstream_st*;
using Graph = struct CUgraph_st*;
using GraphExec = struct CUgraphExec_st*;

inline constexpr int kToDevice = 1, kToHost = 2;
inline constexpr unsigned kNonBlockingStream = 1, kPortable = 1;

struct Runtime {
  std::string file;  // as it was asked for
  std::string prefix;
#define REQUIRED(name, parameters) int(*name) parameters = nullptr;
#define OPTIONAL(name, parameters) REQUIRED(name, parameters)
#include "runtime.inc"
#undef OPTIONAL
#undef REQUIRED
  // Of the driver; null where it has none.
  int (*WriteValue64)(Stream, std::uint64_t address, std::uint64_t value, unsigned flags) = nullptr;
  int (*DeviceGetName)(char*, int, int) = nullptr;
};

// `file`: a path or soname; empty: CUDA's, newest first.
Runtime open_runtime(const std::string& file);

// Throws unless `error` is 0. `call` is the name without prefix.
void check(const Runtime& runtime, int error, const char* call);

}  // namespace bench
