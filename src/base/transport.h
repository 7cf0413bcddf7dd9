#pragma once

// How two ranks of one communicator move slices, whatever the wire: shared memory, TCP, later RDMA.
//
// A Transport belongs to one communicator of one rank. It describes itself, looks at the other ranks' descriptions,
// says from whom it can receive, and opens lanes. A lane is one direction between two ranks on one channel: slices
// arrive in the order in which they were sent. Each slice carries a SliceTag; the receiver knows from its own plan
// which tag must come next, so a tag is compared, never obeyed. Opening is cheap and local; the lane connects while it
// is used, and nothing here blocks: a call does what it can and says whether it finished.
//
// Threads    describe/learn/open/close: the communicator's owner. A lane: one thread at a time. park/doorbell:
// likewise. Ownership  bytes handed to send() stay valid and unchanged until it returned true, or, after
// send_reference(), until
//            completed() has counted the slice. A view stays valid until release().
// Errors     sticky per lane, never retried here. A dead peer is told by liveness, not by a lane (a lane may also
// tell).
//
// Implementations live in transports/<name>/ with the same file names; they see base only. comm finds them by
// builtin_transports().

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/socket_address.h"
#include "base/status.h"
#include "base/types.h"
#include "base/unique_fd.h"

namespace amalgam::transport {

// What a slice is. Compared as a whole by the receiver; on a difference the error text names both sides' values.
struct SliceTag {
  std::uint32_t communicator = 0;  // low half of the communicator's id
  std::uint32_t plan =
      0;  // low half of hash(cluster, request class, epoch, planner version); p2p: message bytes, low half
  std::uint64_t sequence = 0;  // operation number: per communicator for collectives, per ordered pair for p2p
  std::uint32_t position = 0;  // number of the slice within its lane and operation
  std::uint32_t bytes = 0;     // payload
  bool operator==(const SliceTag&) const = default;
};
static_assert(sizeof(SliceTag) == 24);

std::string explain_mismatch(const SliceTag& expected, const SliceTag& arrived, int self, int peer);

class SendLane {
 public:
  virtual ~SendLane() = default;

  // Moves a slice; true once `bytes` may be reused. On false call again, with the same arguments, until true.
  virtual Result<bool> send(const SliceTag& tag, ConstBytes bytes) = 0;

  // For a producer that writes its slice in place (premultiply): room for tag.bytes, or nullptr when there is none yet.
  // Followed by commit() of the same tag, which on false is called again until true.
  virtual Result<std::byte*> reserve(const SliceTag& tag) = 0;
  virtual Result<bool> commit(const SliceTag& tag) = 0;

  // Offers the slice where it lies: the peer reads it there. Only when can_reference(bytes). True once announced; the
  // bytes must stay unchanged until completed() has counted this slice.
  virtual bool can_reference(ConstBytes bytes) const { return (void)bytes, false; }
  virtual Result<bool> send_reference(const SliceTag& tag, ConstBytes bytes) { return (void)bytes, send(tag, bytes); }

  // Slices, since the lane opened, of which the peer no longer needs the sender's memory (copied ones count at once).
  // Rises in order. May do work (reap acknowledgements).
  virtual Result<std::uint64_t> completed() = 0;

  // Has the peer taken, or does the system hold for it, everything sent? A communicator waits for it before it lets go
  // of the lane's memory, so that a rank may finish and exit before its peer looked. (Shared memory: all slices
  // consumed.)
  virtual bool drained() { return true; }

  virtual int poll_fd() const { return -1; }  // what to poll for writability when stuck, or -1: use the doorbell
};

class ReceiveLane {
 public:
  virtual ~ReceiveLane() = default;

  // The next slice whole, where it lies, or nullptr when it is not there yet. Each success advances: the following call
  // asks for the following slice. At most window() views are out at once; release() gives the oldest back.
  virtual Result<const std::byte*> view(const SliceTag& expected) = 0;
  virtual void release() = 0;

  // The next slice into `destination` (expected.bytes long). On false call again, same arguments, until true. Not while
  // views are out.
  virtual Result<bool> receive(const SliceTag& expected, Bytes destination) = 0;

  // A quick look between two tries: true while nothing has come since view() or receive() found nothing. False says
  // nothing: try again.
  virtual bool quiet() const { return false; }

  virtual int poll_fd() const { return -1; }
};

// Authenticated byte streams between ranks of one communicator, made by the bootstrap layer on demand. Both sides want
// the same key; the lower rank dials, the higher one is dialled. Non-blocking: want() starts, take() collects.
struct StreamKey {
  std::uint8_t transport = 0;  // who uses it: 't' tcp, …
  std::uint8_t channel = 0;
  std::uint16_t rail = 0;
  std::uint16_t index = 0;                             // several streams of one rail
  auto operator<=>(const StreamKey&) const = default;  // NOLINT(modernize-use-nullptr): there is no pointer
};

class Connector {
 public:
  virtual ~Connector() = default;
  // `local` (may have family AF_UNSPEC: any) is the source address to bind, `remote` the peer's listener on that rail.
  virtual void want(int peer, StreamKey key, const SocketAddress& local, const SocketAddress& remote) = 0;
  virtual Result<UniqueFd> take(
      int peer, StreamKey key) = 0;  // invalid fd: not yet. The fd is non-blocking, authenticated, empty.
  virtual std::vector<SocketAddress> listeners() const = 0;  // where this process listens: one per interface in use
};

struct Environment {
  int rank = 0;
  int ranks = 1;
  std::uint64_t communicator = 0;  // equal on all ranks, unique among live communicators
  Connector* connector = nullptr;  // outlives the transport
};

struct Capabilities {
  std::uint32_t slice_bytes = 0;  // largest slice a lane takes
  int window = 0;                 // slices a lane holds before its receiver must take one
  bool shared_domain = false;     // its lanes are memory: the two ranks share a domain
};

class Transport {
 public:
  virtual ~Transport() = default;
  virtual std::string name() const = 0;
  virtual Capabilities capabilities() const = 0;

  virtual Result<std::vector<std::byte>> describe() = 0;  // gathered to all ranks
  virtual Status learn(
      const std::vector<std::vector<std::byte>>& descriptions) = 0;  // one per rank; may be empty; untrusted
  virtual bool receives_from(int peer) = 0;  // tested (mapped, probed), not inferred. Agreed by comm before lanes open

  virtual Result<std::unique_ptr<SendLane>> open_send(int peer, int channel) = 0;
  virtual Result<std::unique_ptr<ReceiveLane>> open_receive(int peer, int channel) = 0;

  // Sleeping: take doorbell(), look at the lanes once more, then park(): returns when rung since, or after `limit`.
  virtual std::uint32_t doorbell() { return 0; }
  virtual void park(std::uint32_t seen, std::chrono::microseconds limit) { (void)seen, (void)limit; }
  virtual bool has_doorbell() const { return false; }
};

struct Factory {
  const char* name;  // as in AMALGAM_TRANSPORTS
  Result<std::unique_ptr<Transport>> (*create)(const Environment& environment);
};

// In order of preference: loopback, shm, tcp. Defined beside the transports (transports/registry.cc).
std::span<const Factory> builtin_transports();

// The transports of `list` ("loopback,trace:shm,faults:tcp"), in its order; an unknown name or decorator is an error.
Result<std::vector<std::unique_ptr<Transport>>> create_transports(const Environment& environment,
                                                                  std::string_view list);

}  // namespace amalgam::transport
