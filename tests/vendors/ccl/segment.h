#pragma once

// The memory in which the ranks of one stand-in communicator meet, threads or processes of one machine: who they are, a
// box for each rank's part of a collective, and a box for each ordered pair's messages.
//
// Words are counted up by one writer each. The name comes from the unique id.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace standin_ccl {

inline constexpr int kMostRanks = 16;
inline constexpr std::size_t kChunk = 65536;  // bytes of one block that a box holds at a time

struct Box {
  alignas(64) std::atomic<std::uint64_t> filled;             // chunks that were put in
  alignas(64) std::atomic<std::uint64_t> taken[kMostRanks];  // by each reader
};

// What a rank says in a split. It may say the next once all have seen this.
struct Choice {
  std::atomic<std::uint64_t> said, seen;  // the split's number
  std::atomic<int> color, key;
};

struct Segment {
  std::atomic<std::uint64_t> vendor;  // of the first rank: others must be alike
  std::atomic<int> ranks;
  std::atomic<int> arrived;  // refused ones included; the last takes the name away
  std::atomic<int> joined;
  std::atomic<int> refused;
  std::atomic<std::uint64_t> who[kMostRanks];  // process and device
  Choice choice[kMostRanks];
  unsigned char scalar[kMostRanks][8];  // of the running collective
  Box collective[kMostRanks];
  Box pair[kMostRanks][kMostRanks];  // [from][to]; only taken[to] is used

  // Behind this: ranks x ranks chunks for collectives (every rank's blocks), then as many for pairs.
  std::byte* block(int rank, int index) { return boxes() + at(rank, index) * kChunk; }
  std::byte* message(int from, int to) {
    return boxes() + (static_cast<std::size_t>(kMostRanks) * kMostRanks + at(from, to)) * kChunk;
  }
  static std::size_t bytes() { return sizeof(Segment) + 2 * std::size_t{kMostRanks} * kMostRanks * kChunk; }

 private:
  static std::size_t at(int row, int column) {
    return static_cast<std::size_t>(row) * kMostRanks + static_cast<std::size_t>(column);
  }
  std::byte* boxes() { return reinterpret_cast<std::byte*>(this + 1); }
};

Segment* open_segment(const std::string& name);  // null: the system refused
void forget_name(const std::string& name);

}  // namespace standin_ccl
