#pragma once

// Where the slices of one operation lie: the plan's symbolic parts bound to the caller's count and pointers.

#include <cstdint>
#include <vector>

#include "base/request.h"
#include "engine/prepared.h"
#include "plan/cut.h"

namespace amalgam::engine {

class Layout {
 public:
  // Keeps pointers to both; they outlive it.
  void bind(const Prepared& prepared, const Request& request);

  std::uint64_t chunks() const { return chunks_; }
  std::uint64_t element_bytes() const { return element_bytes_; }

  // Slice `chunk` of part `part` of a user buffer (elements of the whole buffer); of a scratch row: first is 0.
  plan::Range slice(int buffer, std::int64_t part, std::uint64_t chunk) const;
  std::byte* user_address(int buffer, std::uint64_t element) const;

 private:
  plan::Range part_of(int buffer, std::int64_t part) const;

  const Prepared* prepared_ = nullptr;
  const Request* request_ = nullptr;
  std::uint64_t element_bytes_ = 1;
  std::uint64_t slice_elements_ = 1;
  std::uint64_t chunks_ = 1;
};

}  // namespace amalgam::engine
