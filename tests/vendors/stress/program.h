#pragma once

// A random program for several ranks, and what it must leave in their memory.
//
// It is one list of steps in an order that all ranks keep, so it is legal whatever else they do: a step waits for none
// that comes later. What it computes is found while it is drawn, by doing one step after another in plain memory. Equal
// seeds give equal programs.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace stress {

using Values = std::vector<std::int32_t>;

inline constexpr std::size_t kBuffers = 8;  // of each rank, equally long
inline constexpr std::size_t kStreams = 5;  // null, the thread's own, blocking, two that are not

enum class Kind { kAllReduce, kReduce, kBroadcast, kReduceScatter, kAllGather, kAllToAll, kGather, kScatter, kMessage };
inline constexpr int kKinds = 9;
enum class Fold { kSum, kMax, kMin };

// What one rank of a call brings: its buffers, in elements, and the stream.
struct Part {
  std::size_t in = 0, out = 0;  // numbers of buffers
  std::size_t in_at = 0;        // in place, a block of `out`
  std::size_t stream = 0;
};

struct Call {
  std::size_t comm = 0;
  Kind kind = Kind::kAllReduce;
  Fold fold = Fold::kSum;
  std::size_t root = 0, peer = 0;  // ranks of the communicator; of a message: from and to
  std::size_t count = 0;
  std::vector<Part> parts;  // by rank of the communicator
};

// What a rank issues of a group: one of its calls, or one half of a message.
struct Issue {
  std::size_t call = 0;
  bool receives = false;
};

enum class Act { kFill, kFold, kCopy, kUpload, kCheck, kRenew, kSynchronize, kHostFunction, kCalls };

struct Step {
  Act act = Act::kFill;
  std::size_t rank = 0, stream = 0;  // all but kCalls
  std::size_t to = 0, from = 0;      // buffers
  std::int32_t value = 0;            // kFill
  Fold fold = Fold::kSum;            // kFold
  Values values = {};                // kUpload, kRenew: what is written; kCheck: what must be there
  std::vector<Call> calls = {};      // kCalls
  bool grouped = false;
  std::vector<std::vector<Issue>> issues = {};  // by rank of the world, in its order
};

// A communicator is a part of the world. Number 0 is the world itself.
struct Comm {
  std::vector<int> keys;           // of the split, by rank of the world; -1: not in it
  std::vector<std::size_t> ranks;  // of the world, by rank of the communicator
  bool vendors = false;            // of one vendor: its library may carry it
};

struct Program {
  std::size_t ranks = 0;
  std::size_t elements = 0;  // of a buffer
  std::vector<Comm> comms;
  std::vector<Step> steps;
};

// `vendors`: whose device each rank works on; -1: the CPU. Beside the world and random parts of it there is a
// communicator of each vendor's ranks.
Program generate(std::uint64_t seed, const std::vector<int>& vendors, std::size_t steps);

}  // namespace stress
