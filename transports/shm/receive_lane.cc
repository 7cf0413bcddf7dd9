#include "transports/shm/receive_lane.h"

#include <fmt/format.h>

#include <utility>

namespace amalgam::shm {

ReceiveLane::ReceiveLane(std::shared_ptr<Neighbourhood> here, int peer, int channel)
    : ring::ReceiveLane(here->geometry, here->rank, peer),
      here_(std::move(here)),
      entry_(sender().directory.entry(here_->rank, channel)) {}

Status ReceiveLane::attach() {
  const State state = entry_.state.load(std::memory_order_seq_cst);
  if (state == State::kNone) return {};
  if (state != State::kReady)
    return Status(state == State::kGone ? Code::kRemote : Code::kProtocol,
                  fmt::format("rank {} closed its lane to rank {}", peer(), self()));
  auto mapping = map(entry_);
  // A process that is dying has no files left: who died and why is the control plane's to say, here nothing comes.
  if (!mapping.ok()) return mapping.status().code() == Code::kRemote ? Status() : mapping.status();
  mapping_ = mapping.take();
  const ring::Ring ring{mapping_.base(), geometry()};
  if (!ring.is(entry_.nonce))
    return Status(Code::kProtocol, fmt::format("the ring of rank {} is not what it announced", peer()));
  use(ring, &sender().directory.bell());
  return {};
}

Result<Mapping> ReceiveLane::map(const Entry& entry) const {
  const Nonce nonce = entry.nonce;
  const std::size_t size = geometry().total();
  auto file = sender().reach == Reach::kName ? open_by_name(nonce, size)
                                             : open_by_proc(sender().pid, entry.fd, segment_name(nonce), size, true);
  if (!file.ok()) {  // the sender may have closed between the two looks
    if (entry.state.load(std::memory_order_seq_cst) == State::kReady) return file.status();
    return Status(Code::kRemote, fmt::format("rank {} closed its lane to rank {}", peer(), self()));  // seen next time
  }
  if (sender().reach == Reach::kName) unlink_by_name(nonce);
  return Mapping::map(file->get(), size, true);
}

Result<const std::byte*> ReceiveLane::resolve(const ring::Reference& shared, std::size_t bytes) {
  const ring::Reference reference = shared;  // the peer could change it between check and use
  if (reference.offset > reference.size || bytes > reference.size - reference.offset)
    return Status(Code::kProtocol, fmt::format("rank {} sent rank {} a reference beyond its region", peer(), self()));
  if (regions_.empty() || regions_.front()->id != reference.region) {
    Status remembered = remember(reference);
    if (remembered.code() == Code::kRemote) return nullptr;  // the sender is dying: as in attach()
    if (!remembered.ok()) return remembered;
  }
  const Mapping& mapping = regions_.front()->mapping;
  if (reference.size != mapping.size())
    return Status(Code::kProtocol, fmt::format("rank {} changed the size of a region", peer()));
  return mapping.base() + reference.offset;
}

// Brings the region to the front. Old ones go only while no view is out, since a view may lie in them.
Status ReceiveLane::remember(const ring::Reference& reference) {
  for (auto& region : regions_) {
    if (region->id != reference.region) continue;
    std::swap(region, regions_.front());
    return {};
  }
  auto region = sender().regions.find(reference);
  if (!region.ok()) return region.status();
  if (regions_.size() >= kMostRegions && views_out() == 0) regions_.clear();
  regions_.insert(regions_.begin(), region.take());
  return {};
}

}  // namespace amalgam::shm
