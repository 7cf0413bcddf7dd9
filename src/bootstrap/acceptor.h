#pragma once

// Listening sockets and the listener's half of the handshake.
//
// Anyone may connect, so the number and the age of connections that have proved nothing are bounded: kMaxPending in all
// (fewer where the process may open few files), kPendingLimit seconds each. At the bound the oldest makes room for the
// newest: a member's handshake takes milliseconds and dialling is retried, so a flood delays members, no more.
//
// Threads    the service thread only (listen() also before it runs).
// Ownership  Listener owns its socket and closes it with its end; the Acceptor outlives its listeners.

#include <list>
#include <memory>
#include <vector>

#include "base/socket_address.h"
#include "base/status.h"
#include "bootstrap/directory.h"
#include "bootstrap/loop.h"

namespace amalgam::bootstrap {

class Listener {
 public:
  const SocketAddress& address() const { return address_; }

 private:
  friend class Acceptor;
  SocketAddress address_;
  UniqueFd fd_;
  Watch watch_;          // ends before the fd
  Timer pause_;          // running while the process has no file descriptor left
  bool warned_ = false;  // that it has none
};

class Acceptor {
 public:
  static constexpr std::size_t kMaxPending = 1024;
  static constexpr std::chrono::seconds kPendingLimit{5};

  Acceptor(Loop& loop, Directory& directory);
  Result<std::unique_ptr<Listener>> listen(const SocketAddress& address);  // port 0: any free one
  std::size_t pending() const { return pending_.size(); }

 private:
  struct Pending {
    UniqueFd fd;
    Watch watch;
    Timer limit;
    bool challenged = false;
    std::size_t have = 0;
    HelloFrame frame{};  // the hello, kept for the proof
    Proof proof{};
    Hello hello;
    Nonce nonce{};
  };
  using Place = std::list<Pending>::iterator;

  void accept_some(Listener* listener);
  void pause(Listener* listener);
  void admit(UniqueFd fd);
  void advance(Place place);
  bool receive(Place place, Bytes frame);  // true when the frame is whole; a failed connection is dropped
  void answer_hello(Place place);
  void check_proof(Place place);
  void refuse(Place place, Answer answer);
  void tell_refusal(const Pending& pending) const;
  void drop(Place place) { pending_.erase(place); }

  Loop& loop_;
  Directory& directory_;
  std::size_t bound_;
  std::list<Pending> pending_;  // oldest first
};

}  // namespace amalgam::bootstrap
