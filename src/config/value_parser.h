#pragma once

// Turns the text of one setting into its value, or says what is allowed instead. Pure; any thread.
//
//   Flag      1 0 yes no true false on off (any case)
//   Integer   decimal, 0x… or 0…
//   Size      Integer with an optional K, M or G (1024-based): bytes
//   Duration  Integer with an optional ms, s or m: milliseconds; ms when absent
//
// Unlike strtol-based parsers, trailing text is an error: "yes" for a number never becomes 0.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace amalgam::config {

enum class Kind : std::uint8_t { kFlag, kInteger, kSize, kDuration, kText };

struct Range {
  std::int64_t minimum = 0;
  std::int64_t maximum = 0;
};

Result<bool> parse_flag(std::string_view text);
Result<std::int64_t> parse_number(Kind kind, std::string_view text, Range range);  // kInteger, kSize or kDuration

std::string describe_allowed(Kind kind, Range range);  // "an integer from 2 to 64"

}  // namespace amalgam::config
