#pragma once

// Who lives in this process: the ranks (of any communicator) that threads of one process run, so that they find each
// other.
//
// An Endpoint is one rank of one communicator; it keeps the rings on which that rank sends. The registry knows
// endpoints by communicator and rank and keeps none alive.
//
// Threads    any; a mutex guards the registry and each endpoint's table. Taken by describe, learn and open only.
// Ownership  endpoints are shared by their transport and by the lanes that lead to or from them: a lane must be able to
// ring
//            a peer whose transport is just being closed by another thread.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "base/nonce.h"
#include "base/status.h"
#include "transports/ring/doorbell.h"
#include "transports/ring/layout.h"

namespace amalgam::loopback {

// The memory of a ring, shared by its two lanes.
class Memory {
 public:
  static Result<std::shared_ptr<Memory>> create(ring::Geometry geometry);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  const ring::Ring& ring() const { return ring_; }

 private:
  explicit Memory(ring::Ring ring) : ring_(ring) {}
  ring::Ring ring_;
};

enum class Side { kSend, kReceive };

class Endpoint {
 public:
  explicit Endpoint(const Nonce& nonce) : nonce_(nonce) {}

  const Nonce& nonce() const { return nonce_; }
  ring::Doorbell& bell() { return bell_; }

  // The ring to `peer` on `channel`; whichever side comes first makes it. A side that comes again gets a new one.
  Result<std::shared_ptr<Memory>> ring_to(int peer, int channel, Side side, ring::Geometry geometry);

 private:
  struct Entry {
    std::shared_ptr<Memory> memory;
    bool taken[2] = {false, false};
  };

  const Nonce nonce_;
  ring::Doorbell bell_{};
  std::mutex mutex_;
  std::map<std::pair<int, int>, Entry> rings_;
};

void move_in(std::uint64_t communicator, int rank, const std::shared_ptr<Endpoint>& endpoint);
void move_out(std::uint64_t communicator, int rank, const Endpoint* endpoint);
std::shared_ptr<Endpoint> neighbour(std::uint64_t communicator, int rank);

}  // namespace amalgam::loopback
