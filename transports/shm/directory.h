#pragma once

// A rank's directory (layout.h): the owner's, created; and a peer's, mapped. Mapping a peer's and finding its nonce
// inside is the test for "same machine": nothing else is believed.
//
// Threads    reading: any; publishing: the lane's thread. Ownership: owns its segment or mapping.

#include "transports/shm/layout.h"
#include "transports/shm/segment.h"

namespace amalgam::shm {

// What the owner tells about its directory, and what proves it.
struct Identity {
  int rank = 0;
  int ranks = 1;
  std::uint64_t communicator = 0;
  Nonce nonce;
};

class Directory {
 public:
  static Result<Directory> create(const Identity& owner, Reach reach);
  static Result<Directory> open(const Identity& owner, pid_t pid, int fd, Reach reach);

  ring::Doorbell& bell() const { return head().bell; }
  Entry& entry(int peer, int channel) const;
  std::atomic<Reach>& reach(int peer) const;  // how the owner reaches `peer`
  int fd() const { return segment_.fd(); }
  void unlink() { segment_.unlink(); }

 private:
  Head& head() const { return *reinterpret_cast<Head*>(base_); }
  Status check(const Identity& owner) const;

  Segment segment_;  // when created
  Mapping mapping_;  // when opened
  std::byte* base_ = nullptr;
  int ranks_ = 0;
};

}  // namespace amalgam::shm
