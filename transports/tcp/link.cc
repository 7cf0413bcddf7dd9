#include "transports/tcp/link.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

namespace amalgam::tcp {
namespace {

// Buffer sizes are left to the kernel's own tuning: it grows them to 4–6 MiB, while SO_SNDBUF would be cut to
// net.core.wmem_max (208 KiB by default) and end the tuning.
void tune(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));  // fails on what is not TCP (tests); nothing depends on it
}

}  // namespace

Link::Link(transport::Connector* connector, int peer, std::vector<Stream> streams)
    : connector_(connector), peer_(peer), streams_(std::move(streams)), sockets_(streams_.size()) {}

Result<int> Link::socket(std::size_t index) {
  UniqueFd& socket = sockets_[index];
  if (socket.valid()) return socket.get();
  if (!wanted_)
    for (const Stream& stream : streams_) connector_->want(peer_, stream.key, stream.local, stream.remote);
  wanted_ = true;
  auto taken = connector_->take(peer_, streams_[index].key);
  if (!taken.ok()) return taken.status();
  if (!taken->valid()) return -1;
  socket = taken.take();
  tune(socket.get());
  return socket.get();
}

}  // namespace amalgam::tcp
