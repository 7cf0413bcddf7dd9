#pragma once

// Where things are: the caller's buffers and the scratch of one rank as one address space of elements, what each
// operand of a plan covers in it, and what the collective puts where (docs/plan-text.md §3, §6).
//
// Immutable after construction; no threads. What the plan may not name (a part out of range, a division by zero, a
// buffer that the call does not have) is answered with a message, not with an address.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "oracle/parse.h"

namespace oracle {

// The call that the plan carries out.
struct Request {
  std::uint64_t count = 0;
  std::uint64_t element_bytes = 4;
  int root = 0;  // of rooted collectives
  bool in_place = false;
};

// Elements [begin, begin + length) of a rank's address space.
struct Range {
  std::int64_t begin = 0;
  std::int64_t length = 0;
};

inline bool overlap(const Range& a, const Range& b) {
  return a.begin < b.begin + b.length && b.begin < a.begin + a.length;
}

struct Located {
  Range range;
  bool is_in = false;  // read through `in`: pre-scaled
  std::string error;   // a part that does not exist, or may not be touched
};

// A piece of a result: element i of `at` is element i of `from` in the send buffer of `source` (−1: of all ranks,
// reduced).
struct Expected {
  Range at;
  int source = -1;
  std::int64_t from = 0;
};

class Layout {
 public:
  // `rank` runs `plan`; `peer_or_root` is what `root` means to it.
  Layout(const Plan& plan, const Request& request, int rank, int peer_or_root);

  Located locate(const Operand& operand, std::int64_t step, std::int64_t chunk) const;
  Located row(int scratch, std::int64_t row, std::int64_t chunk) const;
  Environment environment(std::int64_t step) const { return {rank_, plan_.ranks, step, root_}; }

  std::int64_t chunks() const { return chunks_; }  // K
  std::int64_t size() const { return size_; }      // elements of the address space
  Range in() const { return in_; }                 // length 0 where the call has none
  Range out() const { return out_; }
  const std::vector<Expected>& expected() const { return expected_; }  // nothing else of `out` may be written
  const std::string& error() const { return error_; }

 private:
  struct Part {
    std::int64_t first = 0, length = 0;
    std::string error;
  };
  void place_users(const Request& request);
  void place_scratch();
  void count_chunks();
  void expect(const Request& request);
  Part part(int buffer, std::int64_t index) const;
  Part cut(std::int64_t parts, std::int64_t index) const;
  std::int64_t parts(const Buffer& buffer) const;
  Located scratch_slot(int buffer, std::int64_t row, std::int64_t chunk) const;

  const Plan& plan_;
  std::int64_t count_, element_bytes_, slice_;
  int rank_, root_;
  std::int64_t chunks_ = 1, size_ = 0;
  Range in_, out_;
  bool has_in_ = true;                 // false: another rank's `in` is what counts; this one's may not be touched
  std::vector<std::int64_t> scratch_;  // first element per buffer
  std::vector<Expected> expected_;
  std::string error_;
};

// alltoallv: elements that `from` sends to `to`, and where they lie in either's buffer. Uneven, with holes, made from
// the count.
std::int64_t vector_count(std::int64_t count, int from, int to);
std::int64_t vector_in(std::int64_t count, int ranks, int from, int to);
std::int64_t vector_out(std::int64_t count, int ranks, int from, int to);

}  // namespace oracle
