#pragma once

#include <chrono>

namespace amalgam {

// Monotonic time for deadlines, liveness and traces. Never a source of anything that ranks must agree on.
using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

}  // namespace amalgam
