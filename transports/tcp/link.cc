#include "transports/tcp/link.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

namespace amalgam::tcp {
namespace {

// Fails on what is not TCP (tests); nothing depends on it.
void tune(int fd, const Buffers& buffers) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (buffers.send > 0) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffers.send, sizeof(buffers.send));
  if (buffers.receive > 0) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffers.receive, sizeof(buffers.receive));
}

}  // namespace

Link::Link(transport::Connector* connector, int peer, std::vector<Stream> streams, const Buffers& buffers)
    : connector_(connector), peer_(peer), streams_(std::move(streams)), buffers_(buffers), sockets_(streams_.size()) {}

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
  tune(socket.get(), buffers_);
  return socket.get();
}

}  // namespace amalgam::tcp
