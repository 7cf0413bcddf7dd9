#pragma once

// A flight record as it crosses processes. Clocks of two processes have nothing in common, so the wire carries ages.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "observe/flight.h"

namespace amalgam::observe {

struct FlightLine {
  FlightEntry entry;        // its clock fields are not used
  std::int64_t age_ns = 0;  // since it was entered
  bool running = false;
};

std::vector<std::byte> encode_flight(const std::vector<FlightEntry>& entries, std::int64_t now_ns);

// Trusts nothing: wrong versions, enumerators, lengths and trailing bytes are errors.
Result<std::vector<FlightLine>> decode_flight(std::span<const std::byte> bytes);

}  // namespace amalgam::observe
