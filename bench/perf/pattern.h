#pragma once

// An endless sequence of elements that repeats after a prime number of them: buffers of any size are filled and
// compared at the speed of memory, and a block that lands at a wrong place (blocks and slices are powers of two) still
// differs. Immutable after construction: any thread.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "element.h"

namespace perf {

class Pattern {
 public:
  static constexpr std::size_t kPeriod = 7919;

  Pattern(const Type& type, const std::function<double(std::size_t index)>& value);
  const Type& type() const { return *type_; }
  static Pattern of_noise(const Type& type, std::uint64_t seed);  // any bits at all: for data that is only moved

  // Elements [start, start + count) of the sequence to `to`.
  void fill(std::byte* to, std::size_t count, std::size_t start) const;

  // How many of `count` elements are not element start + i of the sequence, or not within `places` units in the last
  // place.
  std::size_t count_wrong(const std::byte* from, std::size_t count, std::size_t start, double places) const;

 private:
  explicit Pattern(const Type& type) : type_(&type), period_(kPeriod * type.bytes) {}
  bool is_wrong(const std::byte* have, const std::byte* want, double places) const;

  const Type* type_;
  std::vector<std::byte> period_;
};

// The mixing function behind all test data.
std::uint64_t mix(std::uint64_t seed, std::uint64_t index);

}  // namespace perf
