#include "transports/shm/transport.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/host_memory.h"
#include "transports/ring/options.h"
#include "transports/shm/description.h"
#include "transports/shm/receive_lane.h"
#include "transports/shm/send_lane.h"

namespace amalgam::shm {

Result<std::unique_ptr<transport::Transport>> create(const transport::Environment& environment) {
  return Transport::create(environment, Options{ring::geometry_from_settings(), pids_are_private(), true});
}

Result<std::unique_ptr<transport::Transport>> Transport::create(const transport::Environment& environment,
                                                                const Options& options) {
  return std::unique_ptr<transport::Transport>(new Transport(environment, options));
}

Transport::Transport(const transport::Environment& environment, const Options& options)
    : environment_(environment), options_(options), here_(std::make_shared<Neighbourhood>()), host_(host_identity()) {
  here_->rank = environment.rank;
  here_->geometry = options.geometry;
  here_->peers.resize(static_cast<std::size_t>(environment.ranks));
}

transport::Capabilities Transport::capabilities() const {
  return {options_.geometry.slot_bytes, static_cast<int>(options_.geometry.slots), true};
}

Result<std::vector<std::byte>> Transport::describe() {
  auto nonce = make_nonce();
  if (!nonce.ok()) return nonce.status();
  auto memory = host_memory::process_nonce();
  if (!memory.ok()) return memory.status();
  const Identity identity{environment_.rank, environment_.ranks, environment_.communicator, *nonce};
  auto directory = Directory::create(identity, options_.offer_name ? Reach::kName : Reach::kProc);
  if (!directory.ok() && options_.offer_name)
    directory = Directory::create(identity, Reach::kProc);  // /dev/shm is full or absent
  if (!directory.ok()) return directory.status();
  here_->directory = directory.take();
  return Description{host_, getpid(), here_->directory.fd(), *nonce, *memory}.encode();
}

Status Transport::learn(const std::vector<std::vector<std::byte>>& descriptions) {
  for (std::size_t peer = 0; peer < here_->peers.size() && peer < descriptions.size(); ++peer) {
    auto& found = here_->peers[peer];
    found = find(static_cast<int>(peer), descriptions[peer]);
    const Reach reach = found == nullptr ? Reach::kNone : found->reach;
    here_->directory.reach(static_cast<int>(peer)).store(reach, std::memory_order_release);
  }
  return {};
}

std::unique_ptr<Peer> Transport::find(int peer, const std::vector<std::byte>& bytes) const {
  const auto description = Description::decode(bytes);
  if (!description || description->host != host_) return nullptr;
  const Identity identity{peer, environment_.ranks, environment_.communicator, description->directory};
  const auto pid = static_cast<pid_t>(description->pid);
  for (const Reach reach : {Reach::kProc, Reach::kName}) {
    if (reach == Reach::kProc && !options_.use_proc) continue;
    auto directory = Directory::open(identity, pid, description->fd, reach);
    if (directory.ok()) return std::make_unique<Peer>(directory.take(), pid, reach, description->memory);
  }
  return nullptr;
}

bool Transport::receives_from(int peer) {
  return peer >= 0 && peer < environment_.ranks && here_->peers[static_cast<std::size_t>(peer)] != nullptr;
}

Status Transport::check(int peer, int channel) {
  here_->directory.unlink();  // lanes are opened when all ranks have learned: nobody needs the name any more
  if (!receives_from(peer))
    return Status(Code::kInvalidUsage, fmt::format("rank {} is not reached by shared memory", peer));
  if (channel < 0 || channel >= kChannels)
    return Status(Code::kInvalidArgument, fmt::format("channel {}: shared memory has {}", channel, kChannels));
  return {};
}

Result<std::unique_ptr<transport::SendLane>> Transport::open_send(int peer, int channel) {
  AMALGAM_TRY(check(peer, channel));
  return std::unique_ptr<transport::SendLane>(new SendLane(here_, peer, channel));
}

Result<std::unique_ptr<transport::ReceiveLane>> Transport::open_receive(int peer, int channel) {
  AMALGAM_TRY(check(peer, channel));
  return std::unique_ptr<transport::ReceiveLane>(new ReceiveLane(here_, peer, channel));
}

}  // namespace amalgam::shm
