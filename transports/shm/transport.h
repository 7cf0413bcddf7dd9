#pragma once

// Slices between processes of one machine, through rings in shared memory.
//
//   describe   creates the directory, tells where it is
//   learn      maps the directories of ranks with the same host identity; who cannot be mapped is not a neighbour
//   open       cheap; the sender makes a ring at its first slice, the receiver maps it when it appears
//
// receives_from(peer) says that this rank can map what the peer makes. A pair may use shm when both of its ranks say
// so: a sender needs the receiver's directory, for its doorbell and to know by which way the ring will be opened.
//
// Threads, ownership, errors: base/transport.h. A lane may outlive its transport. No system call per slice but to wake.

#include "base/transport.h"
#include "transports/shm/neighbourhood.h"

namespace amalgam::shm {

struct Options {
  ring::Geometry geometry;
  bool offer_name = false;  // also offer the directory as a file in /dev/shm, for peers that cannot use /proc
  bool use_proc = true;     // false: do not look into /proc, as if it were useless (tests)
};

class Transport final : public transport::Transport {
 public:
  static Result<std::unique_ptr<transport::Transport>> create(const transport::Environment& environment,
                                                              const Options& options);

  std::string name() const override { return "shm"; }
  transport::Capabilities capabilities() const override;
  Result<std::vector<std::byte>> describe() override;
  Status learn(const std::vector<std::vector<std::byte>>& descriptions) override;
  bool receives_from(int peer) override;
  Result<std::unique_ptr<transport::SendLane>> open_send(int peer, int channel) override;
  Result<std::unique_ptr<transport::ReceiveLane>> open_receive(int peer, int channel) override;
  std::uint32_t doorbell() override { return here_->directory.bell().prepare(); }
  void park(std::uint32_t seen, std::chrono::microseconds limit) override { here_->directory.bell().wait(seen, limit); }
  bool has_doorbell() const override { return true; }

 private:
  Transport(const transport::Environment& environment, const Options& options);
  std::unique_ptr<Peer> find(int peer, const std::vector<std::byte>& description) const;
  Status check(int peer, int channel);

  const transport::Environment environment_;
  const Options options_;
  const std::shared_ptr<Neighbourhood> here_;  // shared with the lanes, which may outlive the transport
  std::string host_;
};

Result<std::unique_ptr<transport::Transport>> create(const transport::Environment& environment);  // for the registry

}  // namespace amalgam::shm
