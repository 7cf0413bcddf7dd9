#pragma once

// One call split by islands (plan/hierarchy.h), as one rank sees it: its chunks, where the data of each part lie
// between the calls inside the island, and what those calls are.
//
// Between the calls inside, a rank's share lies in its `out` buffer where that has room for it (allreduce, broadcast,
// allgather), else in device scratch: two halves, for chunks in turn.
//
// Pure arithmetic on addresses; elements of the call's type unless called bytes. All ranks choose the same chunks.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/request.h"
#include "plan/hierarchy.h"

namespace amalgam::engine {

class Exchange {
 public:
  static constexpr std::size_t kScratchBytes = std::size_t{16} << 20;  // of a device rank's communicator
  static constexpr std::uint64_t kMostChunks = 8;                      // while the scratch allows it

  Exchange() = default;
  // `scratch`: kScratchBytes on the device; null on ranks that are islands of their own.
  Exchange(const Request& call, const plan::Hierarchy& hierarchy, int rank, std::byte* scratch);

  const Request& call() const { return call_; }
  const plan::Hierarchy& hierarchy() const { return *hierarchy_; }
  int rank() const { return rank_; }
  bool inside() const { return size_of_island_ > 1; }  // whether there are calls inside on this rank
  std::uint64_t chunks() const { return chunks_; }
  std::uint64_t count(std::uint64_t chunk) const;
  // Chunks whose first calls may be issued before the first chunk is done.
  std::uint64_t ahead() const { return uses_scratch() ? kHalves : chunks_; }

  // Where this rank's data of a part come from and go to, beginning at element `first` of the chunk. Null: nowhere.
  struct Ends {
    std::byte* from = nullptr;
    std::byte* to = nullptr;
  };
  Ends ends(const plan::Hierarchy::Part& part, std::uint64_t chunk, std::uint64_t first) const;

  // Calls inside this rank's island, added to `calls`, roots and peers by place: before a chunk's exchange, beside it
  // (they do not wait for it), and after it.
  void before(std::uint64_t chunk, std::vector<Request>* calls) const;
  void beside(std::uint64_t chunk, std::vector<Request>* calls) const;
  void after(std::uint64_t chunk, std::vector<Request>* calls) const;

 private:
  static constexpr std::uint64_t kHalves = 2;

  void choose_chunks();
  bool uses_scratch() const;
  bool at_root_island() const;
  std::byte* in(std::uint64_t element) const;
  std::byte* out(std::uint64_t element) const;
  std::byte* scratch(std::uint64_t chunk, std::uint64_t element) const;
  std::byte* reduced(std::uint64_t chunk, std::uint64_t first) const;  // of reduce: this rank's share
  std::byte* block_sum(std::uint64_t chunk, int block) const;          // of reducescatter: null where not kept here
  void scatter_sum(std::uint64_t chunk, std::vector<Request>* calls) const;
  void reduce_blocks(std::uint64_t chunk, std::vector<Request>* calls) const;
  void gather_parts(std::uint64_t chunk, std::vector<Request>* calls) const;
  void gather_to_root(std::uint64_t chunk, std::vector<Request>* calls) const;
  void broadcast_block(std::uint64_t chunk, int block, int root, std::vector<Request>* calls) const;
  Request inside_call(Collective collective, const std::byte* in, std::byte* out, std::uint64_t count, int root) const;

  Request call_;
  const plan::Hierarchy* hierarchy_ = nullptr;
  int rank_ = 0, island_ = 0, place_ = 0, size_of_island_ = 1;
  std::byte* scratch_ = nullptr;
  std::uint64_t element_bytes_ = 1, chunks_ = 1, most_ = 0;  // elements of a chunk
};

}  // namespace amalgam::engine
