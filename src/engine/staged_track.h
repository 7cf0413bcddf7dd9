#pragma once

// The calls of one group on one communicator over several islands, on a device rank: they begin when all streams that
// the caller named have come to them. The gates are opened by whoever completes the track.

#include <vector>

#include "engine/drive.h"
#include "engine/gate.h"
#include "engine/staged_call.h"

namespace amalgam::engine {

class StagedTrack final : public Track {
 public:
  StagedTrack(const StopSignal& stop, Bed bed, WaitPolicy policy, DeviceQueue& queue)
      : Track(stop, bed, policy), queue_(queue) {}

  void add_gate(Gate* gate) { gates_.push_back(gate); }
  const std::vector<Gate*>& gates() const { return gates_; }
  Result<Progress> progress() override;

 private:
  DeviceQueue& queue_;
  std::vector<Gate*> gates_;
  std::size_t passed_ = 0;  // gates found ready
};

}  // namespace amalgam::engine
