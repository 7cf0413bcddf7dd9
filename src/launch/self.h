#pragma once

// Messages to oneself: a group's sends to the own rank meet its receives from it, in order.

#include <span>
#include <vector>

#include "launch/group.h"

namespace amalgam::launch {

inline bool is_self(const comm::Communicator& communicator, const Request& request) {
  return is_pair(request.collective) && request.root == communicator.rank();
}

struct SelfMessage {
  const Request* send;
  const Request* receive;
};

// Those of one communicator in `work`, which they point into. Not ok: one lacks its other half, or sizes differ.
Result<std::vector<SelfMessage>> self_messages(const comm::Communicator& communicator, std::span<const Work> work);

}  // namespace amalgam::launch
