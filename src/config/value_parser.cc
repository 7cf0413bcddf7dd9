#include "config/value_parser.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>

namespace amalgam::config {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

// Factor of a unit, 0 when the kind has no such unit.
std::int64_t factor_of(Kind kind, std::string_view unit) {
  if (unit.empty()) return 1;
  if (kind == Kind::kSize) {
    if (unit == "k") return 1LL << 10;
    if (unit == "m") return 1LL << 20;
    if (unit == "g") return 1LL << 30;
  }
  if (kind == Kind::kDuration) {
    if (unit == "ms") return 1;
    if (unit == "s") return 1000;
    if (unit == "m") return 60'000;
  }
  return 0;
}

std::string_view strip_base(std::string_view digits, int& base) {
  base = 10;
  if (digits.starts_with("0x")) return base = 16, digits.substr(2);
  if (digits.size() > 1 && digits[0] == '0') return base = 8, digits.substr(1);
  return digits;
}

bool scale(std::int64_t value, std::int64_t factor, std::int64_t& scaled) {
  return !__builtin_mul_overflow(value, factor, &scaled);
}

}  // namespace

std::string describe_allowed(Kind kind, Range range) {
  switch (kind) {
    case Kind::kFlag: return "1 or 0 (also yes, no, true, false, on, off)";
    case Kind::kInteger: return fmt::format("an integer from {} to {}", range.minimum, range.maximum);
    case Kind::kSize: return fmt::format("a size from {} to {} bytes (suffix K, M or G)", range.minimum, range.maximum);
    case Kind::kDuration:
      return fmt::format("a time from {} to {} ms (suffix ms, s or m)", range.minimum, range.maximum);
    case Kind::kText: return "any text";
  }
  return "";
}

Result<bool> parse_flag(std::string_view text) {
  const std::string word = lower(text);
  for (std::string_view yes : {"1", "yes", "true", "on"})
    if (word == yes) return true;
  for (std::string_view no : {"0", "no", "false", "off"})
    if (word == no) return false;
  return Status(Code::kInvalidArgument, "not a flag");
}

Result<std::int64_t> parse_number(Kind kind, std::string_view text, Range range) {
  const std::string word = lower(text);
  std::string_view rest = word;
  const bool negative = rest.starts_with('-');
  if (negative) rest.remove_prefix(1);
  int base = 10;
  rest = strip_base(rest, base);
  std::int64_t value = 0;
  if (rest.starts_with('-')) return Status(Code::kInvalidArgument, "not a number");
  const auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), value, base);
  if (problem == std::errc::result_out_of_range) return Status(Code::kInvalidArgument, "out of range");
  if (problem != std::errc()) return Status(Code::kInvalidArgument, "not a number");
  const std::int64_t factor =
      factor_of(kind, std::string_view(end, static_cast<std::size_t>(rest.data() + rest.size() - end)));
  if (factor == 0) return Status(Code::kInvalidArgument, "not a number");
  if (!scale(negative ? -value : value, factor, value)) return Status(Code::kInvalidArgument, "out of range");
  if (value < range.minimum || value > range.maximum) return Status(Code::kInvalidArgument, "out of range");
  return value;
}

}  // namespace amalgam::config
