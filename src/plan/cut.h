#pragma once

// The one place where ranges are cut. Shared by executor, checker and simulator (docs/plan-text.md §3), so that no two
// of them can round differently.

#include <algorithm>
#include <cstdint>

namespace amalgam::plan {

struct Range {
  std::uint64_t first = 0;  // elements
  std::uint64_t count = 0;
};

// Part `index` of `count` elements cut into `parts`, at multiples of 64 bytes.
inline Range cut_evenly(std::uint64_t count, std::uint64_t parts, std::uint64_t index, std::uint64_t element_bytes) {
  const std::uint64_t unit = std::max<std::uint64_t>(1, 64 / element_bytes);
  const std::uint64_t units = count / unit + (count % unit != 0);
  const std::uint64_t floor = units / parts;
  const std::uint64_t larger = units % parts;
  const std::uint64_t first = (index * floor + std::min(index, larger)) * unit;
  const std::uint64_t past = first + (floor + (index < larger ? 1 : 0)) * unit;
  return {std::min(first, count), std::min(past, count) - std::min(first, count)};
}

// Slice `chunk` of a part of `count` elements.
inline Range slice_of(std::uint64_t count, std::uint64_t chunk, std::uint64_t slice_elements) {
  const std::uint64_t first = chunk * slice_elements;
  return first >= count ? Range{count, 0} : Range{first, std::min(slice_elements, count - first)};
}

}  // namespace amalgam::plan
