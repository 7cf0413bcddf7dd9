#pragma once

// What a rank tells the others about its directory, and what of it can be believed: nothing, it only says where to
// look.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/nonce.h"
#include "base/status.h"

namespace amalgam::shm {

struct Description {
  std::string host;  // boot id and AMALGAM_HOST_ID: ranks that differ do not even try, and can be told apart for tests
  std::int64_t pid = 0;
  std::int32_t fd = -1;
  Nonce directory;
  Nonce memory;  // host_memory::process_nonce()

  std::vector<std::byte> encode() const;
  static std::optional<Description> decode(const std::vector<std::byte>& bytes);
};

std::string host_identity();

// May peers be unable to look into /proc/<pid>, or to agree on pids? True in a pid namespace of its own and without
// /proc.
bool pids_are_private();

}  // namespace amalgam::shm
