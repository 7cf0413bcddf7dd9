#pragma once

// Systematic single changes to a plan's text, each of which may or may not make it wrong. Works on text alone: a plan
// that the library prints and one written by hand are changed alike.

#include <string>
#include <string_view>
#include <vector>

namespace oracle {

struct Mutant {
  std::string what;  // the change, in words
  std::string text;
};

// All of them, in a fixed order.
std::vector<Mutant> mutate(std::string_view plan);

}  // namespace oracle
