#pragma once

// Delays slices and lets them fail, by a schedule that repeats exactly (schedule.h): for tests of everything above
// lanes. A held slice is refused although nothing happens on the wire, so nobody is rung when it becomes ready: waits
// must be bounded, as they are (base/transport.h: park).

#include <memory>

#include "transports/decorator/decorator.h"
#include "transports/faults/schedule.h"

namespace amalgam::faults {

class Transport final : public decorator::Transport {
 public:
  static Result<std::unique_ptr<transport::Transport>> create(std::unique_ptr<transport::Transport> inner,
                                                              std::string_view schedule);

 private:
  Transport(std::unique_ptr<transport::Transport> inner, Schedule schedule);
  std::unique_ptr<transport::SendLane> wrap(std::unique_ptr<transport::SendLane> lane, int peer, int channel) override;
  std::unique_ptr<transport::ReceiveLane> wrap(std::unique_ptr<transport::ReceiveLane> lane, int peer,
                                               int channel) override;

  const std::shared_ptr<const Schedule> schedule_;  // shared with the lanes, which may outlive the transport
};

}  // namespace amalgam::faults
