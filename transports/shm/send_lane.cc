#include "transports/shm/send_lane.h"

#include "base/host_memory.h"

namespace amalgam::shm {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

// Rings that nearly fill a huge page get the rest of it: a mapping must span the page to use it.
std::size_t segment_bytes(const ring::Geometry& geometry) {
  const std::size_t total = geometry.total();
  return total < kHugePage / 2 ? total : (total + kHugePage - 1) / kHugePage * kHugePage;
}

}  // namespace

SendLane::SendLane(std::shared_ptr<Neighbourhood> here, int peer, int channel)
    : ring::SendLane(here->geometry, here->rank, peer),
      here_(std::move(here)),
      channel_(channel),
      reach_(
          here_->peers[static_cast<std::size_t>(peer)]->directory.reach(here_->rank).load(std::memory_order_acquire)) {}

SendLane::~SendLane() {
  if (segment_.base() == nullptr) return;
  entry().state.store(State::kGone, std::memory_order_seq_cst);
  say_goodbye();
}

Status SendLane::attach() {
  auto nonce = make_nonce();
  if (!nonce.ok()) return nonce.status();
  auto segment =
      Segment::create(*nonce, segment_bytes(geometry()), reach_ == Reach::kName ? Reach::kName : Reach::kProc);
  if (!segment.ok()) return segment.status();
  segment_ = segment.take();
  const ring::Ring ring{segment_.base(), geometry()};
  ring.format(*nonce);
  use(ring, &here_->peers[static_cast<std::size_t>(peer())]->directory.bell());
  entry().fd = segment_.fd();
  entry().nonce = *nonce;
  entry().state.store(State::kReady, std::memory_order_seq_cst);
  return {};
}

bool SendLane::describe(ConstBytes bytes, ring::Reference* reference) const {
  host_memory::Region region;
  if (reach_ != Reach::kProc || !host_memory::find(bytes, &region) || region.fd < 0) return false;
  *reference = {region.id, static_cast<std::uint64_t>(bytes.data() - region.base), region.size, region.fd};
  return true;
}

}  // namespace amalgam::shm
