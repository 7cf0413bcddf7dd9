#pragma once

// Plans written by hand from docs/plan-text.md, for the tests of the oracle and of its mutations. They cover every
// action, shape and form of dependency, and do not follow the library's families.

#include <string>
#include <string_view>
#include <vector>

namespace oracle {

struct Sample {
  std::string_view name;
  std::string_view text;     // "ranks $" and "slice $" are filled in by with()
  bool in_place = true;      // works in place, too
  bool powers_only = false;  // ranks: 1, 2, 4
};

const std::vector<Sample>& samples();

// The sample's text for so many ranks and so large slices.
std::string with(std::string_view text, int ranks, int slice_bytes);

}  // namespace oracle
