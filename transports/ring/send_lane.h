#pragma once

// The sending half of a ring, whoever provides the memory.
//
// A subclass gives the ring and the peer's doorbell at the first use (attach), and may describe bytes that the peer can
// read where they lie (describe). Everything else is here: a slice costs one copy, one published word and one look at
// the peer's sleepers; the peer's tail is read only when the tail seen last leaves no free slot.
//
// Threads    one at a time. Ownership: the subclass keeps ring and bell alive as long as the lane.
// Errors     sticky. A tail that this lane never allowed is kProtocol; a full ring whose receiver has gone is kRemote.

#include "base/transport.h"
#include "transports/ring/doorbell.h"
#include "transports/ring/layout.h"

namespace amalgam::ring {

class SendLane : public transport::SendLane {
 public:
  Result<bool> send(const transport::SliceTag& tag, ConstBytes bytes) override;
  Result<std::byte*> reserve(const transport::SliceTag& tag) override;
  Result<bool> commit(const transport::SliceTag& tag) override;
  bool can_reference(ConstBytes bytes) const override;
  Result<bool> send_reference(const transport::SliceTag& tag, ConstBytes bytes) override;
  Result<std::uint64_t> completed() override;
  bool drained() override;

 protected:
  SendLane(Geometry geometry, int self, int peer) : geometry_(geometry), self_(self), peer_(peer) {}

  virtual Status attach() = 0;  // calls use() or fails
  virtual bool describe(ConstBytes bytes, Reference* reference) const = 0;

  void use(Ring ring, Doorbell* peer_bell);
  void say_goodbye();  // for the destructor of the subclass, while the ring is still there
  const Geometry& geometry() const { return geometry_; }
  int self() const { return self_; }
  int peer() const { return peer_; }

 private:
  bool ready(std::size_t bytes);  // a slot is free and the slice fits; false: not now, or failed_ says why
  bool attach_now();
  bool refresh_tail();
  Slot& head_slot() const { return slots_[head_ % geometry_.slots]; }
  std::byte* place(std::size_t bytes);
  void publish(const transport::SliceTag& tag, Kind kind);
  Result<bool> not_now() const { return failed_.ok() ? Result<bool>(false) : Result<bool>(failed_); }

  const Geometry geometry_;
  const int self_;
  const int peer_;
  Slot* slots_ = nullptr;
  Control* control_ = nullptr;
  std::byte* data_ = nullptr;
  Doorbell* peer_bell_ = nullptr;
  std::uint64_t head_ = 0;       // slices published
  std::uint64_t tail_seen_ = 0;  // slices released, when last looked at
  bool populated_ = false;       // the data area has pages
  std::uint64_t completed_ = 0;
  std::uint64_t last_reference_ = 0;  // 1 + number of the last slice that was sent by reference; 0: none
  std::uint64_t references_ = 0;      // bit per slot: it holds a reference
  Status failed_;
};

}  // namespace amalgam::ring
