#include "transports/faults/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/hash.h"

namespace amalgam::faults {
namespace {

// "A" or "A:B"; a missing B is left as it is.
bool parse_numbers(std::string_view text, std::uint64_t* first, std::uint64_t* second) {
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, *first);
  if (error != std::errc()) return false;
  if (stop == end) return true;
  if (*stop != ':') return false;
  auto [last, error_of_second] = std::from_chars(stop + 1, end, *second);
  return error_of_second == std::errc() && last == end;
}

}  // namespace

Result<Schedule> Schedule::parse(std::string_view text) {
  Schedule schedule;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    if (item.empty()) continue;
    AMALGAM_TRY(schedule.add(item));
  }
  return schedule;
}

Status Schedule::add(std::string_view item) {
  const std::size_t at = item.find('@');
  const std::string_view verb = item.substr(0, at);
  std::uint64_t first = 0;
  std::uint64_t second = 1;
  if (at == item.npos || !parse_numbers(item.substr(at + 1), &first, &second))
    return Status(Code::kInvalidArgument, fmt::format("AMALGAM_FAULTS: '{}' is not VERB@NUMBER[:NUMBER]", item));
  if (verb == "random") {
    seed_ = first;
    per_cent_ = second;
    return {};
  }
  const bool fails = verb.starts_with("fail-");
  const std::string_view direction = fails ? verb.substr(5) : verb;
  if (direction != "send" && direction != "receive")
    return Status(Code::kInvalidArgument, fmt::format("AMALGAM_FAULTS: there is no fault '{}'", verb));
  faults_.push_back({direction == "send" ? Direction::kSend : Direction::kReceive, fails, first, second});
  return {};
}

std::uint64_t Schedule::tries(Direction direction, std::uint64_t lane, std::uint64_t slice) const {
  for (const Fault& fault : faults_)
    if (!fault.fails && fault.direction == direction && fault.slice == slice) return fault.tries;
  if (per_cent_ == 0) return 0;
  Hash hash;
  hash.add_integer(seed_).add_integer(static_cast<std::uint64_t>(direction)).add_integer(lane).add_integer(slice);
  const std::uint64_t dice = hash.value() ^ hash.value() >> 32;  // FNV's low bits alone are poor
  return dice % 100 < per_cent_ ? 1 + dice / 100 % 16 : 0;
}

bool Schedule::fails(Direction direction, std::uint64_t slice) const {
  return std::any_of(faults_.begin(), faults_.end(), [&](const Fault& fault) {
    return fault.fails && fault.direction == direction && fault.slice == slice;
  });
}

}  // namespace amalgam::faults
