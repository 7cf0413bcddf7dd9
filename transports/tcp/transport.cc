#include "transports/tcp/transport.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>

#include "config/settings.h"
#include "transports/tcp/receive_lane.h"
#include "transports/tcp/send_lane.h"
#include "transports/tcp/wire.h"

namespace amalgam::tcp {
namespace {

constexpr int kWindow = 4;  // slices of staging for views; what the kernel buffers comes on top and is not promised

// A source address: the port is the kernel's to choose.
SocketAddress without_port(SocketAddress address) {
  if (address.family() == AF_INET) reinterpret_cast<sockaddr_in&>(address.storage).sin_port = 0;
  if (address.family() == AF_INET6) reinterpret_cast<sockaddr_in6&>(address.storage).sin6_port = 0;
  return address;
}

constexpr int kLeastBuffer = 512 << 10;  // below it the kernel's own tuning does better

// The largest size up to `wanted` that the kernel grants. One above net.core.{w,r}mem_max would be cut to that (208 KiB
// by default) and end the kernel's tuning, which goes further: so sizes are tried on a socket that nobody needs.
int granted(int option, int wanted) {
  const UniqueFd trial(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  for (int bytes = wanted; bytes >= kLeastBuffer; bytes /= 2) {
    int got = 0;  // Linux reports twice of what it gave
    socklen_t length = sizeof(got);
    if (::setsockopt(trial.get(), SOL_SOCKET, option, &bytes, sizeof(bytes)) == 0 &&
        ::getsockopt(trial.get(), SOL_SOCKET, option, &got, &length) == 0 && got / 2 >= bytes)
      return bytes;
  }
  return 0;
}

}  // namespace

Result<std::unique_ptr<transport::Transport>> create(const transport::Environment& environment) {
  const config::Settings& settings = config::settings();
  return Transport::create(environment, Options{static_cast<int>(settings.sockets_per_rail),
                                                static_cast<std::uint32_t>(settings.tcp_slice_bytes),
                                                static_cast<int>(settings.tcp_buffer_bytes)});
}

Result<std::unique_ptr<transport::Transport>> Transport::create(const transport::Environment& environment,
                                                                const Options& options) {
  if (environment.connector == nullptr) return Status(Code::kInternal, "the tcp transport needs a connector");
  return std::unique_ptr<transport::Transport>(new Transport(environment, options));
}

Transport::Transport(const transport::Environment& environment, const Options& options)
    : environment_(environment),
      options_(options),
      buffers_{granted(SO_SNDBUF, options.buffer_bytes), granted(SO_RCVBUF, options.buffer_bytes)},
      rails_(environment.connector->listeners()) {}

transport::Capabilities Transport::capabilities() const { return {options_.slice_bytes, kWindow, false}; }

Result<std::vector<std::byte>> Transport::describe() { return encode_listeners(rails_); }

Status Transport::learn(const std::vector<std::vector<std::byte>>& descriptions) {
  peers_.assign(static_cast<std::size_t>(environment_.ranks), std::nullopt);
  for (std::size_t peer = 0; peer < peers_.size() && peer < descriptions.size(); ++peer)
    if (static_cast<int>(peer) != environment_.rank) peers_[peer] = decode_listeners(descriptions[peer]);
  return {};
}

// Not probed: a connection between two ranks is made when they need it. What fails then is an error of the lane.
bool Transport::receives_from(int peer) {
  return !rails_.empty() && peer >= 0 && static_cast<std::size_t>(peer) < peers_.size() &&
         peers_[static_cast<std::size_t>(peer)].has_value();
}

std::vector<Stream> Transport::streams(int peer, int channel) const {
  const std::vector<SocketAddress>& theirs = *peers_[static_cast<std::size_t>(peer)];
  const std::size_t rails = std::max(rails_.size(), theirs.size());
  std::vector<Stream> streams;
  for (int index = 0; index < options_.sockets_per_rail; ++index)
    for (std::size_t rail = 0; rail < rails; ++rail)  // neighbours in turn lie on different rails
      streams.push_back({{'t', static_cast<std::uint8_t>(channel), static_cast<std::uint16_t>(rail),
                          static_cast<std::uint16_t>(index)},
                         without_port(rails_[rail % rails_.size()]),
                         theirs[rail % theirs.size()]});
  return streams;
}

Result<std::shared_ptr<Link>> Transport::link(int peer, int channel) {
  if (!receives_from(peer)) return Status(Code::kInvalidUsage, fmt::format("rank {} is not reached by tcp", peer));
  if (channel < 0 || channel > 255)
    return Status(Code::kInvalidArgument, fmt::format("channel {}: tcp has 256", channel));
  std::weak_ptr<Link>& known = links_[{peer, channel}];
  auto link = known.lock();
  if (link == nullptr)
    known = link = std::make_shared<Link>(environment_.connector, peer, streams(peer, channel), buffers_);
  return link;
}

Result<std::unique_ptr<transport::SendLane>> Transport::open_send(int peer, int channel) {
  auto shared = link(peer, channel);
  if (!shared.ok()) return shared.status();
  return std::unique_ptr<transport::SendLane>(
      new SendLane(shared.take(), options_.slice_bytes, environment_.rank, peer));
}

Result<std::unique_ptr<transport::ReceiveLane>> Transport::open_receive(int peer, int channel) {
  auto shared = link(peer, channel);
  if (!shared.ok()) return shared.status();
  return std::unique_ptr<transport::ReceiveLane>(
      new ReceiveLane(shared.take(), capabilities(), environment_.rank, peer));
}

}  // namespace amalgam::tcp
