#pragma once

#include <span>

#include "launch/group.h"

namespace amalgam::launch {

// Routes and runs what a group collected. Blocking communicators: returns when all of it is complete, running the
// stages on this thread, all communicators together. Non-blocking ones: hands the work to the engine's thread and
// returns kInProgress.
Status run(std::span<Work> work);

// The same for one call on a blocking communicator that is usable(), without a group's bookkeeping.
Status run_one(comm::Communicator& communicator, const Request& request);

}  // namespace amalgam::launch
