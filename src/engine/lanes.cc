#include "engine/lanes.h"

namespace amalgam::engine {

Lanes::Lanes(int ranks, LaneOpener& opener)
    : opener_(opener),
      sends_(static_cast<std::size_t>(ranks) * kChannels),
      receives_(static_cast<std::size_t>(ranks) * kChannels) {}

Result<SendSlot*> Lanes::open_send(int peer, int channel) {
  auto lane = opener_.open_send(peer, channel);
  if (!lane) return lane.status();
  SendSlot& slot = sends_[index(peer, channel)];
  slot.lane = lane.take();
  return &slot;
}

Result<ReceiveSlot*> Lanes::open_receive(int peer, int channel) {
  auto lane = opener_.open_receive(peer, channel);
  if (!lane) return lane.status();
  ReceiveSlot& slot = receives_[index(peer, channel)];
  slot.lane = lane.take();
  return &slot;
}

bool Lanes::drained() const {
  for (const SendSlot& slot : sends_)
    if (slot.lane && !slot.lane->drained()) return false;
  return true;
}

void Lanes::collect_descriptors(std::vector<pollfd>* descriptors) const {
  for (const ReceiveSlot& slot : receives_)
    if (slot.lane && slot.lane->poll_fd() >= 0) descriptors->push_back({slot.lane->poll_fd(), POLLIN, 0});
  for (const SendSlot& slot : sends_)
    if (slot.stuck && slot.lane->poll_fd() >= 0) descriptors->push_back({slot.lane->poll_fd(), POLLOUT, 0});
}

}  // namespace amalgam::engine
