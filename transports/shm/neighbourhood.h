#pragma once

// What the lanes of one shm transport share: this rank's directory and the peers that were found on this machine.
//
// Threads    filled by learn(); read-only for lanes, except the region cache, which has its own lock.
// Ownership  shared by the transport and its lanes, so that closing order does not matter.

#include <memory>
#include <optional>
#include <vector>

#include "transports/ring/layout.h"
#include "transports/shm/directory.h"
#include "transports/shm/region_cache.h"

namespace amalgam::shm {

struct Peer {
  Peer(Directory its_directory, pid_t its_pid, Reach its_reach, const Nonce& its_memory)
      : directory(std::move(its_directory)), pid(its_pid), reach(its_reach), regions(its_pid, its_memory) {}

  Directory directory;
  pid_t pid;
  Reach reach;
  RegionCache regions;
};

struct Neighbourhood {
  int rank = 0;
  ring::Geometry geometry;
  Directory directory;                       // this rank's
  std::vector<std::unique_ptr<Peer>> peers;  // by rank; null: not on this machine
};

}  // namespace amalgam::shm
