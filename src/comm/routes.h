#pragma once

// Which transport each ordered pair of ranks uses: the first of the sender's list that the receiver has too and by
// which it was tested to receive. Computed from gathered facts alone, so both ends and all ranks know the same.

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/transport.h"
#include "comm/record.h"
#include "engine/lanes.h"

namespace amalgam::comm {

class Routes final : public engine::LaneOpener {
 public:
  Routes(int rank, std::vector<std::unique_ptr<transport::Transport>> transports)
      : rank_(rank), transports_(std::move(transports)) {}

  Result<std::vector<TransportOffer>> offers();      // for this rank's record
  Status learn(const std::vector<Record>& records);  // hands the peers' descriptions to the transports
  std::vector<std::byte> reachable() const;          // for the second gather: a bit per transport and peer
  Status agree(const std::vector<Record>& records, const std::vector<std::vector<std::byte>>& reachable);

  bool by_memory(int receiver, int sender) const { return memory_[receiver][sender]; }
  const std::vector<std::vector<bool>>& memory() const { return memory_; }
  std::uint32_t slice_bytes() const { return slice_bytes_; }  // smallest of the transports in use by any pair
  int window() const { return window_; }
  std::string describe() const;  // "shm 3 peers, tcp 4 peers", for the init screen
  transport::Transport* doorbell() const { return doorbell_; }

  Result<std::unique_ptr<transport::SendLane>> open_send(int peer, int channel) override;
  Result<std::unique_ptr<transport::ReceiveLane>> open_receive(int peer, int channel) override;

 private:
  int own_index(const std::string& name) const;

  int rank_;
  std::vector<std::unique_ptr<transport::Transport>> transports_;
  std::vector<int> send_route_;  // by peer: index into transports_, -1 none
  std::vector<int> receive_route_;
  std::vector<std::vector<bool>> memory_;  // [receiver][sender]
  std::uint32_t slice_bytes_ = 1U << 20;
  int window_ = 64;
  transport::Transport* doorbell_ = nullptr;
};

}  // namespace amalgam::comm
