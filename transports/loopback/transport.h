#pragma once

// Slices between ranks that are threads of one process: a ring in private memory, and any bytes by reference.
//
// A peer is here when its description carries the nonce of an endpoint that is registered in this very process (and
// this very process id: a forked child inherits the registry but not the threads).
//
// Threads, ownership, errors: base/transport.h. A lane may outlive its transport.

#include <sys/types.h>

#include "base/transport.h"
#include "transports/loopback/house.h"

namespace amalgam::loopback {

class Transport final : public transport::Transport {
 public:
  static Result<std::unique_ptr<transport::Transport>> create(const transport::Environment& environment,
                                                              ring::Geometry geometry);
  ~Transport() override;

  std::string name() const override { return "loopback"; }
  transport::Capabilities capabilities() const override;
  Result<std::vector<std::byte>> describe() override;
  Status learn(const std::vector<std::vector<std::byte>>& descriptions) override;
  bool receives_from(int peer) override;
  Result<std::unique_ptr<transport::SendLane>> open_send(int peer, int channel) override;
  Result<std::unique_ptr<transport::ReceiveLane>> open_receive(int peer, int channel) override;
  std::uint32_t doorbell() override { return endpoint_->bell().prepare(); }
  void park(std::uint32_t seen, std::chrono::microseconds limit) override { endpoint_->bell().wait(seen, limit); }
  bool has_doorbell() const override { return true; }

 private:
  Transport(const transport::Environment& environment, ring::Geometry geometry, std::shared_ptr<Endpoint> endpoint)
      : environment_(environment), geometry_(geometry), endpoint_(std::move(endpoint)) {}
  std::shared_ptr<Endpoint> find(int peer, const std::vector<std::byte>& description) const;

  const transport::Environment environment_;
  const ring::Geometry geometry_;
  const std::shared_ptr<Endpoint> endpoint_;
  std::vector<std::shared_ptr<Endpoint>> peers_;  // by rank; null: not in this process
};

Result<std::unique_ptr<transport::Transport>> create(const transport::Environment& environment);  // for the registry

}  // namespace amalgam::loopback
