#include "transports/loopback/house.h"

#include <sys/mman.h>

#include <cerrno>

namespace amalgam::loopback {
namespace {

struct Registry {
  std::mutex mutex;
  std::map<std::pair<std::uint64_t, int>, std::weak_ptr<Endpoint>> endpoints;
};

Registry& registry() {
  static auto* const registry = new Registry;  // leaked: threads may still use it while the process ends
  return *registry;
}

}  // namespace

Result<std::shared_ptr<Memory>> Memory::create(ring::Geometry geometry) {
  void* base = mmap(nullptr, geometry.total(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) return system_error("mmap of a lane", errno);
  madvise(base, geometry.total(), MADV_HUGEPAGE);
  const ring::Ring ring{static_cast<std::byte*>(base), geometry};
  ring.format(Nonce{});
  return std::shared_ptr<Memory>(new Memory(ring));
}

Memory::~Memory() { munmap(ring_.base, ring_.geometry.total()); }

Result<std::shared_ptr<Memory>> Endpoint::ring_to(int peer, int channel, Side side, ring::Geometry geometry) {
  const std::lock_guard lock(mutex_);
  Entry& entry = rings_[{peer, channel}];
  bool& taken = entry.taken[side == Side::kSend ? 0 : 1];
  if (entry.memory == nullptr || taken) {
    auto memory = Memory::create(geometry);
    if (!memory.ok()) return memory.status();
    entry = Entry{memory.take()};
  }
  taken = true;
  return entry.memory;
}

void move_in(std::uint64_t communicator, int rank, const std::shared_ptr<Endpoint>& endpoint) {
  const std::lock_guard lock(registry().mutex);
  registry().endpoints[{communicator, rank}] = endpoint;
}

void move_out(std::uint64_t communicator, int rank, const Endpoint* endpoint) {
  const std::lock_guard lock(registry().mutex);
  const auto found = registry().endpoints.find({communicator, rank});
  if (found == registry().endpoints.end()) return;
  const auto held = found->second.lock();
  if (held == nullptr || held.get() == endpoint) registry().endpoints.erase(found);
}

std::shared_ptr<Endpoint> neighbour(std::uint64_t communicator, int rank) {
  const std::lock_guard lock(registry().mutex);
  const auto found = registry().endpoints.find({communicator, rank});
  return found == registry().endpoints.end() ? nullptr : found->second.lock();
}

}  // namespace amalgam::loopback
