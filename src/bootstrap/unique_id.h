#pragma once

// The 128 bytes that users carry from one rank to all others: where the root listens and the secret that proves
// membership.

#include <array>
#include <cstddef>

#include "base/status.h"

namespace amalgam::bootstrap {

struct UniqueId {
  std::array<std::byte, 128> bytes{};
};

// Starts a rendezvous on the service thread and returns the id that leads to it. With NCCL_COMM_ID set, the id is
// derived from it and nothing is started until rank 0 joins.
Result<UniqueId> create_unique_id();

// Fails fast with a text when the bytes are another library's id ("… is the library preloaded on every host?").
Status check_unique_id(const UniqueId& id);

}  // namespace amalgam::bootstrap
