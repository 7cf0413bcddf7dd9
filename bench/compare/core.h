#ifndef BENCH_COMPARE_CORE_H_
#define BENCH_COMPARE_CORE_H_

// The one stopwatch of the comparison: Amalgam and its peers are measured by the same loop, so that a ratio compares
// libraries and not ways of measuring.
//
// Contract   a backend knows one library; RunRank() does the rest: buffers, data check, warm-up, samples, result lines.
// Board      all ranks are on one machine and map one file (COMPARE_BOARD, made by run.py, zeroed). Barriers, start and
//            end times and the choice of the number of calls go through it and never through the library measured.
// Sample     barrier, then k calls back to back; (latest end - earliest start) / k over all ranks is one time.
//            k grows until a sample takes about 100 us, so that neither clock nor barrier shows in a latency.
// Output     rank 0 prints one JSON object per size on stdout as soon as it is measured; reasons go to stderr.
// Threads    one per rank, the caller of RunRank().
// Errors     a backend ends the process with Fail(): run.py reports and leaves out the whole process group.

#include <cstddef>
#include <string>

namespace compare {

enum class Collective { kAllreduce, kAllgather, kReduceScatter, kBroadcast, kAlltoall, kReduce };

// One measurement. Buffers hold `count` floats; the small side of allgather (send) and reduce_scatter (recv) uses
// `block` = count / ranks of them. Root is rank 0.
struct Request {
  Collective collective;
  float* send;
  float* recv;
  size_t count;
  size_t block;
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual int Rank() const = 0;
  virtual int Ranks() const = 0;
  // A reason why the collective cannot be measured; "" when it can.
  virtual std::string Missing(Collective collective) const { return ""; }
  // Before the first Run() of a size, not timed. Algorithms bound to buffers are made here.
  virtual void Prepare(const Request& request) {}
  // One call, complete on return as far as the library promises it.
  virtual void Run(const Request& request) = 0;
  // False for exchanges that compute nothing (raw sockets).
  virtual bool HasResult() const { return true; }
  virtual float* Allocate(size_t bytes);
};

// A barrier over the board, for backends that need one.
void BoardBarrier();

// COMPARE_RANK or COMPARE_RANKS: how run.py tells ranks apart that it starts itself.
int NumberFromEnvironment(const char* name);
std::string TextFromEnvironment(const char* name, const char* fallback);

[[noreturn]] void Fail(const std::string& reason);

// Measures `--collective NAME --sizes 8,64,… --seconds S` and returns the exit status.
int RunRank(Backend& backend, int argc, char** argv);

}  // namespace compare

#endif  // BENCH_COMPARE_CORE_H_
