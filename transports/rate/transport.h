#pragma once

// Limits what a rank sends over the wrapped transport to so many bytes per second, all lanes together: a slower wire
// for tests of plans and for measurements. A slice waits until the ones before it have had their time; it is never cut.

#include <atomic>
#include <cstdint>
#include <memory>

#include "transports/decorator/decorator.h"

namespace amalgam::rate {

// When the wire is free again. Any thread.
class Wire {
 public:
  explicit Wire(std::int64_t bytes_per_second) : bytes_per_second_(bytes_per_second) {}
  bool free() const;
  void occupy(std::size_t bytes);

 private:
  const std::int64_t bytes_per_second_;  // 0: unlimited
  std::atomic<std::int64_t> free_at_ns_{0};
};

class Transport final : public decorator::Transport {
 public:
  Transport(std::unique_ptr<transport::Transport> inner, std::int64_t bytes_per_second);

 private:
  std::unique_ptr<transport::SendLane> wrap(std::unique_ptr<transport::SendLane> lane, int peer, int channel) override;
  std::unique_ptr<transport::ReceiveLane> wrap(std::unique_ptr<transport::ReceiveLane> lane, int, int) override {
    return lane;
  }

  const std::shared_ptr<Wire> wire_;  // shared with the lanes, which may outlive the transport
};

}  // namespace amalgam::rate
