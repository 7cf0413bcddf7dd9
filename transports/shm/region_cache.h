#pragma once

// The regions of one peer's host memory (base/host_memory.h) that are mapped here, so that slices sent by reference are
// read where they lie. A region is mapped once, at its first use, read-only.
//
// Threads    any (a lock, taken when a lane meets a region that is new to it). Ownership: shared between cache and
// lanes,
//            because a cache that is full forgets regions whose views a lane may still hold out.
// Errors     a reference to anything but a sealed region of that peer is kProtocol.

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/nonce.h"
#include "transports/ring/layout.h"
#include "transports/shm/segment.h"

namespace amalgam::shm {

struct MappedRegion {
  std::uint64_t id = 0;
  Mapping mapping;
};

class RegionCache {
 public:
  RegionCache(pid_t pid, const Nonce& memory) : pid_(pid), memory_(memory) {}
  Result<std::shared_ptr<const MappedRegion>> find(const ring::Reference& reference);

 private:
  static constexpr std::size_t kMost = 64;

  const pid_t pid_;
  const Nonce memory_;  // process_nonce() of the peer
  std::mutex mutex_;
  std::vector<std::shared_ptr<const MappedRegion>> regions_;  // oldest first
};

}  // namespace amalgam::shm
