#pragma once

// Slices over TCP. Each address at which a rank listens is a rail: rail i of one rank meets rail i of the other, the
// shorter list repeated. A pair of ranks has `sockets_per_rail` sockets per channel and rail, and deals slices over
// them in turn.
//
// Sleeping: no doorbell; lanes have poll_fd().
//
// Threads, ownership, errors: base/transport.h. The two lanes of a pair and channel share their sockets and must belong
// to one thread. A lane may outlive its transport, not the connector.

#include <map>
#include <optional>

#include "base/transport.h"
#include "transports/tcp/link.h"

namespace amalgam::tcp {

struct Options {
  int sockets_per_rail = 2;
  std::uint32_t slice_bytes = 262144;
  int buffer_bytes = 0;  // of a socket, each way; 0: the kernel's tuning
};

class Transport final : public transport::Transport {
 public:
  static Result<std::unique_ptr<transport::Transport>> create(const transport::Environment& environment,
                                                              const Options& options);

  std::string name() const override { return "tcp"; }
  transport::Capabilities capabilities() const override;
  Result<std::vector<std::byte>> describe() override;
  Status learn(const std::vector<std::vector<std::byte>>& descriptions) override;
  bool receives_from(int peer) override;
  Result<std::unique_ptr<transport::SendLane>> open_send(int peer, int channel) override;
  Result<std::unique_ptr<transport::ReceiveLane>> open_receive(int peer, int channel) override;

 private:
  Transport(const transport::Environment& environment, const Options& options);
  Result<std::shared_ptr<Link>> link(int peer, int channel);
  std::vector<Stream> streams(int peer, int channel) const;

  const transport::Environment environment_;
  const Options options_;
  const Buffers buffers_;
  std::vector<SocketAddress> rails_;                              // this rank's
  std::vector<std::optional<std::vector<SocketAddress>>> peers_;  // by rank
  std::map<std::pair<int, int>, std::weak_ptr<Link>> links_;      // by peer and channel, while a lane uses it
};

Result<std::unique_ptr<transport::Transport>> create(const transport::Environment& environment);  // for the registry

}  // namespace amalgam::tcp
