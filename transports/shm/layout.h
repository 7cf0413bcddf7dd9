#pragma once

// The directory: one small segment per rank and communicator in which that rank tells the others, as sender, where the
// ring of each lane is, once it exists. It also holds the rank's doorbell and, for each peer, how this rank reaches it.
//
//   head      one page: identity, doorbell
//   entries   ranks × kChannels × 64 bytes; entry (peer, channel) is written by the owner, polled by that peer
//   reach     ranks bytes
//
// The rings themselves: transports/ring/layout.h.

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/nonce.h"
#include "transports/ring/doorbell.h"

namespace amalgam::shm {

inline constexpr int kChannels = 64;
inline constexpr std::size_t kHeadBytes = 4096;
inline constexpr std::uint64_t kDirectoryMagic = 0x7269642e6c616d61ULL;  // changes with the layout

struct Head {
  std::uint64_t magic;
  std::uint32_t rank;
  std::uint32_t ranks;
  std::uint64_t communicator;
  Nonce nonce;
  ring::Doorbell bell;
};
static_assert(sizeof(Head) <= kHeadBytes);

enum class State : std::uint32_t { kNone = 0, kReady = 1, kGone = 2 };

struct alignas(64) Entry {
  std::atomic<State> state;  // published last
  std::int32_t fd;
  Nonce nonce;
};
static_assert(sizeof(Entry) == 64);

inline std::size_t entries_bytes(int ranks) { return static_cast<std::size_t>(ranks) * kChannels * sizeof(Entry); }
inline std::size_t directory_bytes(int ranks) {
  const std::size_t bytes = kHeadBytes + entries_bytes(ranks) + static_cast<std::size_t>(ranks);
  return (bytes + 4095) / 4096 * 4096;
}

}  // namespace amalgam::shm
