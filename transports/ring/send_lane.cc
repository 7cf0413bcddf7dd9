#include "transports/ring/send_lane.h"

#include <fmt/format.h>

#include <cstring>

namespace amalgam::ring {

using transport::SliceTag;

namespace {

// A message that fits into the slot's line is mostly one element: not worth a call.
void copy(std::byte* to, const std::byte* from, std::size_t bytes) {
  if (bytes == sizeof(std::uint64_t)) {
    std::memcpy(to, from, sizeof(std::uint64_t));
  } else if (bytes == sizeof(std::uint32_t)) {
    std::memcpy(to, from, sizeof(std::uint32_t));
  } else if (bytes != 0) {
    std::memcpy(to, from, bytes);
  }
}

}  // namespace

void SendLane::use(Ring ring, Doorbell* peer_bell) {
  slots_ = ring.slots();
  control_ = &ring.control();
  data_ = ring.data();
  peer_bell_ = peer_bell;
}

void SendLane::say_goodbye() {
  if (control_ == nullptr) return;
  control_->sender_gone.store(1, std::memory_order_seq_cst);
  peer_bell_->ring();
}

Result<bool> SendLane::send(const SliceTag& tag, ConstBytes bytes) {
  if (!ready(bytes.size())) return not_now();
  copy(place(bytes.size()), bytes.data(), bytes.size());
  publish(tag, bytes.size() <= kInlineBytes ? Kind::kInline : Kind::kData);
  return true;
}

Result<std::byte*> SendLane::reserve(const SliceTag& tag) {
  if (!ready(tag.bytes)) return failed_.ok() ? Result<std::byte*>(nullptr) : Result<std::byte*>(failed_);
  return place(tag.bytes);
}

Result<bool> SendLane::commit(const SliceTag& tag) {
  if (!failed_.ok()) return failed_;
  publish(tag, tag.bytes <= kInlineBytes ? Kind::kInline : Kind::kData);
  return true;
}

bool SendLane::can_reference(ConstBytes bytes) const {
  Reference reference;
  return bytes.size() > kInlineBytes && describe(bytes, &reference);
}

Result<bool> SendLane::send_reference(const SliceTag& tag, ConstBytes bytes) {
  Reference reference;
  if (bytes.size() <= kInlineBytes || !describe(bytes, &reference)) return send(tag, bytes);
  if (!ready(0)) return not_now();
  head_slot().reference = reference;
  references_ |= std::uint64_t{1} << (head_ % geometry_.slots);
  last_reference_ = head_ + 1;
  publish(tag, Kind::kReference);
  return true;
}

// Counts a copied slice at once and a referenced one when the receiver has released it, in order.
Result<std::uint64_t> SendLane::completed() {
  if (!failed_.ok()) return failed_;
  if (last_reference_ > tail_seen_ && !refresh_tail() && !failed_.ok()) return failed_;
  if (last_reference_ <= tail_seen_) return completed_ = head_;
  if (completed_ < tail_seen_) completed_ = tail_seen_;
  while (completed_ < head_ && (references_ >> (completed_ % geometry_.slots) & 1) == 0) ++completed_;
  return completed_;
}

// A receiver that has gone, or a broken lane, will take nothing more: not worth waiting for.
bool SendLane::drained() {
  if (head_ == tail_seen_ || !failed_.ok()) return true;
  refresh_tail();
  return head_ == tail_seen_ || !failed_.ok() || control_->receiver_gone.load(std::memory_order_seq_cst) != 0;
}

inline bool SendLane::ready(std::size_t bytes) {
  if (slots_ == nullptr || bytes > geometry_.slot_bytes || !failed_.ok()) [[unlikely]] {
    if (!failed_.ok()) return false;
    if (bytes > geometry_.slot_bytes) {
      failed_ =
          Status(Code::kInvalidArgument, fmt::format("slice of {} bytes, slots have {}", bytes, geometry_.slot_bytes));
      return false;
    }
    if (!attach_now()) return false;
  }
  return head_ - tail_seen_ < geometry_.slots || refresh_tail();
}

bool SendLane::attach_now() {
  failed_ = attach();
  return failed_.ok() && slots_ != nullptr;
}

// True when a slot is free.
bool SendLane::refresh_tail() {
  const std::uint64_t tail = control_->tail.load(std::memory_order_seq_cst);
  if (tail - tail_seen_ > head_ - tail_seen_) {
    failed_ = Status(Code::kProtocol, fmt::format("rank {} released slice {} of its lane from rank {}, which sent {}",
                                                  peer_, tail, self_, head_));
    return false;
  }
  tail_seen_ = tail;
  if (head_ - tail < geometry_.slots) return true;
  if (control_->receiver_gone.load(std::memory_order_seq_cst) != 0)
    failed_ = Status(Code::kRemote, fmt::format("rank {} closed its lane from rank {}", peer_, self_));
  return false;
}

std::byte* SendLane::place(std::size_t bytes) {
  Slot& slot = head_slot();
  if (bytes <= kInlineBytes) return slot.payload;
  if (!populated_) populated_ = populate(data_, geometry_);
  return data_ + (head_ % geometry_.slots) * geometry_.stride();
}

inline void SendLane::publish(const SliceTag& tag, Kind kind) {
  Slot& slot = head_slot();
  slot.kind = kind;
  slot.tag = tag;
  if (kind != Kind::kReference) references_ &= ~(std::uint64_t{1} << (head_ % geometry_.slots));
  ++head_;
  slot.sequence.store(head_, std::memory_order_seq_cst);
  peer_bell_->ring();
}

}  // namespace amalgam::ring
