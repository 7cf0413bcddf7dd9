#pragma once

// What every call leaves behind, whoever carries it: its number among its kind, its entry in the flight record, and the
// word to the other ranks when it fails.

#include <time.h>

#include <cstdint>

#include "base/request.h"
#include "comm/communicator.h"
#include "observe/log.h"

namespace amalgam::launch {

// Coarse: a flight record is read by people after seconds, and the call must stay in the nanoseconds.
inline std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

// The first of the next `number` operations of the request's kind.
inline std::uint64_t next_sequence(comm::Communicator& communicator, const Request& request, std::uint64_t number = 1) {
  return is_pair(request.collective) ? communicator.next_pair(request.collective, request.root, number)
                                     : communicator.next_collective(number);
}

// The ticket of the entry.
inline std::uint64_t enter(comm::Communicator& communicator, const Request& request, std::uint64_t sequence,
                           std::int64_t now) {
  return communicator.flight().enter(
      {sequence, request.collective, request.type, request.op, request.root, request.count, now, 0});
}

// A failure of ours, to the other ranks; not one that came from them or from the user.
inline void announce(comm::Communicator& communicator, const Status& status) {
  if (status.ok() || communicator.state().raised()) return;
  log::error("rank {}: {}", communicator.rank(), status.message());
  communicator.fail(status);
}

}  // namespace amalgam::launch
