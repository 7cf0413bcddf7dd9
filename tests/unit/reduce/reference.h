#pragma once

// A second definition of every reduction, for tests: numbers are decoded from their fields by ldexp, arithmetic is
// exact or in 113 bits, and rounding is a search among the format's values. Slow, and shares no code with src/reduce.

#include <cstdint>
#include <vector>

#include "reduce/fold.h"

namespace amalgam::reduce::reference {

using Bits = std::uint64_t;

bool is_nan(DataType type, Bits bits);
Bits canonical_nan(DataType type);
double decode(DataType type, Bits bits);   // float types
Bits encode(DataType type, double value);  // nearest, ties to even; fp8 saturates

// The result's bits for one element.
Bits fold(const Reduction& reduction, const std::vector<Bits>& operands, int own, bool finish);

}  // namespace amalgam::reduce::reference
