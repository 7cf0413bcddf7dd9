#pragma once

// The receiver looks into the sender's directory until the ring is there, maps it, and keeps the mappings of the
// regions that slices by reference lie in.

#include <memory>
#include <vector>

#include "transports/ring/receive_lane.h"
#include "transports/shm/neighbourhood.h"

namespace amalgam::shm {

class ReceiveLane final : public ring::ReceiveLane {
 public:
  ReceiveLane(std::shared_ptr<Neighbourhood> here, int peer, int channel);
  ~ReceiveLane() override { say_goodbye(); }

 private:
  Status attach() override;
  Result<const std::byte*> resolve(const ring::Reference& reference, std::size_t bytes) override;
  Status remember(const ring::Reference& reference);
  Result<Mapping> map(const Entry& entry) const;
  Peer& sender() const { return *here_->peers[static_cast<std::size_t>(peer())]; }

  static constexpr std::size_t kMostRegions = 16;

  const std::shared_ptr<Neighbourhood> here_;  // shared: a lane may outlive its transport
  const Entry& entry_;
  Mapping mapping_;
  std::vector<std::shared_ptr<const MappedRegion>> regions_;  // the last one used is first
};

}  // namespace amalgam::shm
