#include "transports/loopback/transport.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/wire.h"
#include "transports/loopback/lane.h"
#include "transports/ring/options.h"

namespace amalgam::loopback {

Result<std::unique_ptr<transport::Transport>> create(const transport::Environment& environment) {
  return Transport::create(environment, ring::geometry_from_settings());
}

Result<std::unique_ptr<transport::Transport>> Transport::create(const transport::Environment& environment,
                                                                ring::Geometry geometry) {
  auto nonce = make_nonce();
  if (!nonce.ok()) return nonce.status();
  auto endpoint = std::make_shared<Endpoint>(*nonce);
  return std::unique_ptr<transport::Transport>(new Transport(environment, geometry, std::move(endpoint)));
}

Transport::~Transport() { move_out(environment_.communicator, environment_.rank, endpoint_.get()); }

transport::Capabilities Transport::capabilities() const {
  return {geometry_.slot_bytes, static_cast<int>(geometry_.slots), true};
}

Result<std::vector<std::byte>> Transport::describe() {
  move_in(environment_.communicator, environment_.rank, endpoint_);
  const Nonce& nonce = endpoint_->nonce();
  return Writer().integer<std::int64_t>(getpid()).integer(nonce.words[0]).integer(nonce.words[1]).take();
}

Status Transport::learn(const std::vector<std::vector<std::byte>>& descriptions) {
  peers_.assign(static_cast<std::size_t>(environment_.ranks), nullptr);
  for (std::size_t peer = 0; peer < peers_.size() && peer < descriptions.size(); ++peer)
    peers_[peer] = find(static_cast<int>(peer), descriptions[peer]);
  return {};
}

std::shared_ptr<Endpoint> Transport::find(int peer, const std::vector<std::byte>& description) const {
  Reader reader(description);
  const auto pid = reader.integer<std::int64_t>();
  Nonce nonce;
  for (std::uint64_t& word : nonce.words) word = reader.integer<std::uint64_t>();
  if (!reader.finished() || pid != getpid()) return nullptr;
  auto endpoint = neighbour(environment_.communicator, peer);
  return endpoint != nullptr && endpoint->nonce() == nonce ? endpoint : nullptr;
}

bool Transport::receives_from(int peer) {
  return peer >= 0 && static_cast<std::size_t>(peer) < peers_.size() &&
         peers_[static_cast<std::size_t>(peer)] != nullptr;
}

Result<std::unique_ptr<transport::SendLane>> Transport::open_send(int peer, int channel) {
  if (!receives_from(peer)) return Status(Code::kInvalidUsage, fmt::format("rank {} is not in this process", peer));
  auto memory = endpoint_->ring_to(peer, channel, Side::kSend, geometry_);
  if (!memory.ok()) return memory.status();
  const auto& receiver = peers_[static_cast<std::size_t>(peer)];
  return std::unique_ptr<transport::SendLane>(new SendLane(memory.take(), receiver, environment_.rank, peer));
}

Result<std::unique_ptr<transport::ReceiveLane>> Transport::open_receive(int peer, int channel) {
  if (!receives_from(peer)) return Status(Code::kInvalidUsage, fmt::format("rank {} is not in this process", peer));
  const auto& sender = peers_[static_cast<std::size_t>(peer)];
  auto memory = sender->ring_to(environment_.rank, channel, Side::kReceive, geometry_);
  if (!memory.ok()) return memory.status();
  return std::unique_ptr<transport::ReceiveLane>(new ReceiveLane(memory.take(), sender, environment_.rank, peer));
}

}  // namespace amalgam::loopback
