#pragma once

// What goes wrong, and when: the value of AMALGAM_FAULTS. Items are separated by commas; K counts the slices of a lane
// from 0 and every lane keeps the schedule for itself.
//
//   send@K:N            slice K is refused N times before it may go
//   receive@K:N         slice K seems absent for N looks
//   fail-send@K         sending slice K is an error; so is all that follows
//   fail-receive@K      likewise
//   random@SEED:P       each slice in either direction is held for 1 to 16 tries with a probability of P per cent

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace amalgam::faults {

enum class Direction : std::uint8_t { kSend, kReceive };

struct Fault {
  Direction direction;
  bool fails;
  std::uint64_t slice;
  std::uint64_t tries;
};

class Schedule {
 public:
  static Result<Schedule> parse(std::string_view text);

  std::uint64_t tries(Direction direction, std::uint64_t lane, std::uint64_t slice) const;  // to be held for
  bool fails(Direction direction, std::uint64_t slice) const;

 private:
  Status add(std::string_view item);

  std::vector<Fault> faults_;
  std::uint64_t seed_ = 0;
  std::uint64_t per_cent_ = 0;
};

}  // namespace amalgam::faults
