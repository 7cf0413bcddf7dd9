#pragma once

// The command line: nccl-tests' options that mean something on CPU ranks, and ours. Options that concern GPUs only are
// taken with a note, or refused where the results would not be what was asked for.

#include <cstdint>
#include <string>
#include <vector>

#include "data.h"

namespace perf {

enum class Average { kRank0, kMean, kMin, kMax };  // numbers are nccl-tests'
enum class Registration { kNone, kBuffer, kWindow };

struct Options {
  std::uint64_t min_bytes = 32ULL << 20;
  std::uint64_t max_bytes = 32ULL << 20;
  std::uint64_t step_bytes = 1ULL << 20;
  int step_factor = 0;  // 0: by step_bytes
  int iterations = 20;
  int aggregated = 1;  // calls per group
  int warmups = 5;
  int cycles = 1;
  int checks = 1;  // 0: none
  std::vector<Op> ops;
  std::vector<const Type*> types;
  int root = 0;  // -1: all
  int threads = 1;
  int ranks_per_thread = 1;
  int processes = 2;
  bool processes_given = false;
  bool blocking = true;  // communicators
  bool nccl_memory = false;
  std::vector<int> devices;  // this process's ranks take turns on them; empty: CPU ranks
  std::string runtime;       // file of the devices' runtime; empty: the usual ones
  bool null_stream = false;  // device ranks call on it instead of a stream of their own
  bool synchronous = false;  // device ranks wait for their stream after each call
  bool cpu_time = false;
  Average average = Average::kMax;
  Registration registration = Registration::kNone;
  int timeout_s = 0;
  std::string json_file;
  std::vector<std::string> notes;  // for standard error, once

  std::vector<std::uint64_t> sizes() const;
  int local_ranks() const { return threads * ranks_per_thread; }
};

struct Parsed {
  Options options;
  int exit_code = -1;  // ≥ 0: the program is to end with it (help was printed, or what is wrong with the options)
};

Parsed parse_options(int argc, char** argv, const char* program, bool reduces);

}  // namespace perf
