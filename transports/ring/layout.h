#pragma once

// The memory of one lane: a ring of slots that one rank fills and another one empties. Used by loopback (heap) and by
// shm.
//
//   control   one page: who made it, the receiver's tail, who has gone
//   slots     128 bytes each: sequence, tag, and the payload when it is small: a tiny message is one cache line
//   data      slot_bytes each, page aligned
//
// Every word has one writer. Slice n (from 0) lies in slot n % slots; its sequence word becomes n + 1 when it is whole.
// The tail is the number of slices that the receiver no longer needs. Both are written seq_cst: the writer looks at the
// other side's sleepers afterwards (doorbell.h).
//
// The peer may be broken: the receiver takes nothing from here but the sequence, the tag (compared with its own) and
// the kind, and checks a reference before it follows it.

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/nonce.h"
#include "base/transport.h"

namespace amalgam::ring {

inline constexpr std::size_t kPage = 4096;
// What is left of the cache line that the receiver polls. Payload in the slot's second line would be slower than in the
// data area: the poller's prefetcher fetches that line too, and the sender must take it back.
inline constexpr std::size_t kInlineBytes = 24;
inline constexpr std::uint64_t kMagic = 0x676e69722e6c616dULL;  // changes with the layout

enum class Kind : std::uint32_t { kInline = 1, kData = 2, kReference = 3 };

// Where the bytes of a slice lie instead. loopback: offset is an address. shm: in a region of the sender's host_memory.
struct Reference {
  std::uint64_t region = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;  // of the region
  std::int32_t fd = -1;    // of the region, in the sender's process
};

struct alignas(128) Slot {
  std::atomic<std::uint64_t> sequence;
  Kind kind;
  transport::SliceTag tag;
  union {
    std::byte payload[kInlineBytes];
    Reference reference;
  };
};
static_assert(sizeof(Slot) == 128);
static_assert(offsetof(Slot, payload) + kInlineBytes <= 64, "a small message is one cache line");
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

struct Control {
  std::uint64_t magic;
  std::uint32_t slots;
  std::uint32_t slot_bytes;
  Nonce nonce;
  alignas(128) std::atomic<std::uint64_t> tail;           // written by the receiver
  alignas(128) std::atomic<std::uint32_t> sender_gone;    // written by the sender
  alignas(128) std::atomic<std::uint32_t> receiver_gone;  // written by the receiver
};
static_assert(sizeof(Control) <= kPage);

struct Geometry {
  std::uint32_t slots = 8;
  std::uint32_t slot_bytes = 131072;

  std::size_t data_offset() const { return kPage + round(slots * sizeof(Slot)); }
  std::size_t stride() const { return round(slot_bytes); }
  std::size_t total() const { return data_offset() + slots * stride(); }

 private:
  static std::size_t round(std::size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }
};

// A ring somewhere in this process's address space. Does not own the memory.
struct Ring {
  std::byte* base = nullptr;
  Geometry geometry;

  Control& control() const { return *reinterpret_cast<Control*>(base); }
  Slot* slots() const { return reinterpret_cast<Slot*>(base + kPage); }
  std::byte* data() const { return base + geometry.data_offset(); }

  void format(const Nonce& nonce) const {  // the memory is zero
    control().slots = geometry.slots;
    control().slot_bytes = geometry.slot_bytes;
    control().nonce = nonce;
    control().magic = kMagic;
  }
  bool is(const Nonce& nonce) const {
    const Control& c = control();
    return c.magic == kMagic && c.slots == geometry.slots && c.slot_bytes == geometry.slot_bytes && c.nonce == nonce;
  }
};

// Gets the pages of the data area in one call instead of one fault each. Always true.
bool populate(std::byte* data, const Geometry& geometry);

}  // namespace amalgam::ring
