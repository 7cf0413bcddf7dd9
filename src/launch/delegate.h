#pragma once

// Work on communicators that a vendor's library carries: issued on the user's stream by the calling thread, complete
// when the stream says so.

#include <span>

#include "launch/group.h"

namespace amalgam::launch {

// One call outside a group.
Status issue(comm::Communicator& communicator, const Request& request);

// The part of a group that concerns such communicators, in the order of the calls: one group of each library.
Status issue_group(std::span<const Work> work);

// What a vendor answered about this communicator: an error that ends it sticks and is told to the other ranks.
Status judge(comm::Communicator& communicator, Status status);

}  // namespace amalgam::launch
