#include "transports/faults/transport.h"

#include "transports/faults/lane.h"

namespace amalgam::faults {
namespace {

std::uint64_t lane_number(int peer, int channel) {
  return static_cast<std::uint64_t>(peer) << 8 | static_cast<std::uint64_t>(channel);
}

}  // namespace

Result<std::unique_ptr<transport::Transport>> Transport::create(std::unique_ptr<transport::Transport> inner,
                                                                std::string_view schedule) {
  auto parsed = Schedule::parse(schedule);
  if (!parsed.ok()) return parsed.status();
  return std::unique_ptr<transport::Transport>(new Transport(std::move(inner), parsed.take()));
}

Transport::Transport(std::unique_ptr<transport::Transport> inner, Schedule schedule)
    : decorator::Transport("faults", std::move(inner)),
      schedule_(std::make_shared<const Schedule>(std::move(schedule))) {}

std::unique_ptr<transport::SendLane> Transport::wrap(std::unique_ptr<transport::SendLane> lane, int peer, int channel) {
  return std::make_unique<SendLane>(std::move(lane), Course(schedule_, Direction::kSend, lane_number(peer, channel)));
}

std::unique_ptr<transport::ReceiveLane> Transport::wrap(std::unique_ptr<transport::ReceiveLane> lane, int peer,
                                                        int channel) {
  return std::make_unique<ReceiveLane>(std::move(lane),
                                       Course(schedule_, Direction::kReceive, lane_number(peer, channel)));
}

}  // namespace amalgam::faults
