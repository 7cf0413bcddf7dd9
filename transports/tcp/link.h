#pragma once

// The sockets between two ranks on one channel. Both directions use them: slice n of a lane goes over socket n % count,
// so the receiver knows where each slice comes from without being told, and no slice waits in a full socket while
// another is idle.
//
// The sockets come from the bootstrap layer (transport::Connector), authenticated; they are asked for at the first use
// of the link and collected one by one when a slice needs them.
//
// Threads    one at a time; its two lanes belong to one thread. Ownership: shared by the two lanes, closed with the
// last.

#include <vector>

#include "base/transport.h"
#include "base/unique_fd.h"

namespace amalgam::tcp {

// One socket to be: which rail and which of its streams.
struct Stream {
  transport::StreamKey key;
  SocketAddress local;   // where it is bound
  SocketAddress remote;  // the peer's listener
};

// What the kernel holds of one socket, in bytes; 0: as much as its own tuning finds right.
struct Buffers {
  int send = 0;
  int receive = 0;
};

class Link {
 public:
  Link(transport::Connector* connector, int peer, std::vector<Stream> streams, const Buffers& buffers);

  std::size_t count() const { return streams_.size(); }
  Result<int> socket(std::size_t index);  // -1: not connected yet
  int known_socket(std::size_t index) const { return sockets_[index].get(); }

 private:
  transport::Connector* const connector_;
  const int peer_;
  const std::vector<Stream> streams_;
  const Buffers buffers_;
  std::vector<UniqueFd> sockets_;
  bool wanted_ = false;
};

}  // namespace amalgam::tcp
