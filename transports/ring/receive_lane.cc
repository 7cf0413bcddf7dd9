#include "transports/ring/receive_lane.h"

#include <fmt/format.h>

#include <cstring>

namespace amalgam::ring {

using transport::SliceTag;

void ReceiveLane::use(Ring ring, Doorbell* peer_bell) {
  slots_ = ring.slots();
  control_ = &ring.control();
  data_ = ring.data();
  peer_bell_ = peer_bell;
}

void ReceiveLane::say_goodbye() {
  if (control_ == nullptr) return;
  control_->receiver_gone.store(1, std::memory_order_seq_cst);
  peer_bell_->ring();
}

Result<const std::byte*> ReceiveLane::view(const SliceTag& expected) {
  const Slot* slot = arrived(expected);
  const std::byte* where = slot == nullptr ? nullptr : locate(*slot, expected.bytes);
  if (where != nullptr)
    ++next_;
  else if (!failed_.ok())
    return failed_;
  return where;
}

void ReceiveLane::release() {
  control_->tail.store(++tail_, std::memory_order_seq_cst);
  peer_bell_->ring();
}

Result<bool> ReceiveLane::receive(const SliceTag& expected, Bytes destination) {
  const Slot* slot = arrived(expected);
  const std::byte* where = slot == nullptr ? nullptr : locate(*slot, expected.bytes);
  if (where == nullptr) return failed_.ok() ? Result<bool>(false) : Result<bool>(failed_);
  if (expected.bytes != 0) std::memcpy(destination.data(), where, expected.bytes);
  ++next_;
  release();
  return true;
}

bool ReceiveLane::quiet() const {
  return slots_ != nullptr && slots_[next_ % geometry_.slots].sequence.load(std::memory_order_seq_cst) == previous() &&
         control_->sender_gone.load(std::memory_order_seq_cst) == 0;
}

inline const Slot* ReceiveLane::arrived(const SliceTag& expected) {
  if (slots_ == nullptr || !failed_.ok()) [[unlikely]] {
    if (!failed_.ok() || !attach_now()) return nullptr;
  }
  const Slot& slot = slots_[next_ % geometry_.slots];
  const std::uint64_t sequence = slot.sequence.load(std::memory_order_seq_cst);
  if (sequence != next_ + 1) return nothing(slot, sequence);
  const SliceTag found = slot.tag;
  if (found != expected) [[unlikely]]
    return mismatch(expected, found);
  return &slot;
}

bool ReceiveLane::attach_now() {
  failed_ = attach();
  return failed_.ok() && slots_ != nullptr;
}

// The slot still holds an older slice, or a sender that has gone left it so, or its word is garbage.
const Slot* ReceiveLane::nothing(const Slot& slot, std::uint64_t sequence) {
  if (sequence != previous()) {
    failed_ = Status(Code::kProtocol, fmt::format("rank {} wrote sequence {} where rank {} waits for {}", peer_,
                                                  sequence, self_, next_ + 1));
  } else if (control_->sender_gone.load(std::memory_order_seq_cst) != 0 && next_ == tail_ &&
             slot.sequence.load(std::memory_order_seq_cst) == previous()) {
    failed_ = Status(Code::kRemote, fmt::format("rank {} closed its lane to rank {}", peer_, self_));
  }
  return nullptr;
}

const Slot* ReceiveLane::mismatch(const SliceTag& expected, const SliceTag& found) {
  failed_ = Status(Code::kProtocol, transport::explain_mismatch(expected, found, self_, peer_));
  return nullptr;
}

inline const std::byte* ReceiveLane::locate(const Slot& slot, std::size_t bytes) {
  const Kind kind = slot.kind;
  if (kind == Kind::kInline && bytes <= kInlineBytes) return slot.payload;
  if (kind == Kind::kData && bytes <= geometry_.slot_bytes && populated_)
    return data_ + (next_ % geometry_.slots) * geometry_.stride();
  return follow(slot, bytes);
}

// The rare kinds: by reference, the first that lies in the data area, and nonsense.
const std::byte* ReceiveLane::follow(const Slot& slot, std::size_t bytes) {
  if (slot.kind == Kind::kData && bytes <= geometry_.slot_bytes && !populated_) {
    populated_ = populate(data_, geometry_);
    return locate(slot, bytes);
  }
  if (slot.kind != Kind::kReference) {
    failed_ = Status(Code::kProtocol, fmt::format("rank {} sent rank {} a slice of kind {} and {} bytes", peer_, self_,
                                                  static_cast<std::uint32_t>(slot.kind), bytes));
    return nullptr;
  }
  auto where = resolve(slot.reference, bytes);
  if (!where.ok()) failed_ = where.status();
  return where.ok() ? *where : nullptr;
}

}  // namespace amalgam::ring
