#pragma once

// The sender owns the lane's ring. It is created at the first slice, so lanes that are never used cost nothing, in the
// way in which the receiver said that it can reach this process; then its place is published in this rank's directory.

#include <memory>

#include "transports/ring/send_lane.h"
#include "transports/shm/neighbourhood.h"

namespace amalgam::shm {

class SendLane final : public ring::SendLane {
 public:
  SendLane(std::shared_ptr<Neighbourhood> here, int peer, int channel);
  ~SendLane() override;

 private:
  Status attach() override;
  bool describe(ConstBytes bytes, ring::Reference* reference) const override;
  Entry& entry() const { return here_->directory.entry(peer(), channel_); }

  const std::shared_ptr<Neighbourhood> here_;  // shared: a lane may outlive its transport
  const int channel_;
  const Reach reach_;  // the receiver's way to this process
  Segment segment_;
};

}  // namespace amalgam::shm
