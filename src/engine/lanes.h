#pragma once

// The lanes of one communicator on one rank: opened at first use, kept until the communicator ends.
//
// Collectives use the plan's channels of a pair, send/recv one of its own, so that neither waits behind the other.
//
// Threads    one at a time (the thread that runs the communicator's operations)

#include <poll.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "base/transport.h"
#include "plan/plan.h"

namespace amalgam::engine {

inline constexpr int kPairChannel = plan::kChannels;
inline constexpr int kChannels = plan::kChannels + 1;

// Chooses the transport of a pair; comm implements it from what the ranks agreed at init.
class LaneOpener {
 public:
  virtual ~LaneOpener() = default;
  virtual Result<std::unique_ptr<transport::SendLane>> open_send(int peer, int channel) = 0;
  virtual Result<std::unique_ptr<transport::ReceiveLane>> open_receive(int peer, int channel) = 0;
};

// A lane with the position that the running operation has reached on it.
struct SendSlot {
  std::unique_ptr<transport::SendLane> lane;
  std::uint64_t operation = 0;  // whose position it is
  std::uint32_t position = 0;
  std::uint64_t issued = 0;  // slices since the lane opened, compared with lane->completed()
  bool stuck = false;        // the last slice was refused: worth waking for when there is room
};

struct ReceiveSlot {
  std::unique_ptr<transport::ReceiveLane> lane;
  std::uint64_t operation = 0;
  std::uint32_t position = 0;
};

class Lanes {
 public:
  Lanes(int ranks, LaneOpener& opener);

  Result<SendSlot*> send(int peer, int channel) {
    SendSlot& slot = sends_[index(peer, channel)];
    return slot.lane ? Result<SendSlot*>(&slot) : open_send(peer, channel);
  }
  Result<ReceiveSlot*> receive(int peer, int channel) {
    ReceiveSlot& slot = receives_[index(peer, channel)];
    return slot.lane ? Result<ReceiveSlot*>(&slot) : open_receive(peer, channel);
  }

  bool drained() const;  // everything sent has been taken

  void collect_descriptors(std::vector<pollfd>* descriptors) const;  // of lanes that wait and have one

 private:
  std::size_t index(int peer, int channel) const { return static_cast<std::size_t>(peer) * kChannels + channel; }
  Result<SendSlot*> open_send(int peer, int channel);
  Result<ReceiveSlot*> open_receive(int peer, int channel);

  LaneOpener& opener_;
  std::vector<SendSlot> sends_;
  std::vector<ReceiveSlot> receives_;
};

}  // namespace amalgam::engine
