#pragma once

// Calls on communicators over several islands: cut into pieces; on a device rank ordered with the user's streams and
// run by the engine's thread.

#include <span>

#include "launch/group.h"

namespace amalgam::launch {

// A started call, from the communicator's pool.
Result<engine::StagedCall*> start_staged(comm::Communicator& communicator, const Request& request,
                                         std::uint64_t* sequence);

// The part of a group that concerns device ranks of such communicators: enqueued on the user's streams when it returns.
Status run_on_devices(std::span<comm::Communicator* const> communicators, std::span<const Work> work);

}  // namespace amalgam::launch
