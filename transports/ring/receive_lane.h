#pragma once

// The receiving half of a ring. A subclass finds the ring (attach, tried until it is there) and follows references
// (resolve). Polling reads one cache line; nothing found in the ring is used before it was compared or checked.
//
// Threads    one at a time. Ownership: the subclass keeps ring and bell alive as long as the lane; a view lies in the
// ring
//            or in memory that resolve() gave, and stays until release().
// Errors     sticky: another tag or an impossible header is kProtocol; nothing to come from a sender that has gone,
// kRemote.

#include "base/transport.h"
#include "transports/ring/doorbell.h"
#include "transports/ring/layout.h"

namespace amalgam::ring {

class ReceiveLane : public transport::ReceiveLane {
 public:
  Result<const std::byte*> view(const transport::SliceTag& expected) override;
  void release() override;
  Result<bool> receive(const transport::SliceTag& expected, Bytes destination) override;
  bool quiet() const override;

 protected:
  ReceiveLane(Geometry geometry, int self, int peer) : geometry_(geometry), self_(self), peer_(peer) {}

  virtual Status attach() = 0;  // calls use(), or leaves the lane as it is: not there yet
  virtual Result<const std::byte*> resolve(const Reference& reference, std::size_t bytes) = 0;

  void use(Ring ring, Doorbell* peer_bell);
  void say_goodbye();
  const Geometry& geometry() const { return geometry_; }
  int self() const { return self_; }
  int peer() const { return peer_; }
  std::uint64_t views_out() const { return next_ - tail_; }

 private:
  const Slot* arrived(const transport::SliceTag& expected);  // null: nothing yet, or failed_ says why
  bool attach_now();
  std::uint64_t previous() const { return next_ < geometry_.slots ? 0 : next_ + 1 - geometry_.slots; }
  const Slot* nothing(const Slot& slot, std::uint64_t sequence);
  const std::byte* locate(const Slot& slot, std::size_t bytes);
  const std::byte* follow(const Slot& slot, std::size_t bytes);
  const Slot* mismatch(const transport::SliceTag& expected, const transport::SliceTag& found);

  const Geometry geometry_;
  const int self_;
  const int peer_;
  Slot* slots_ = nullptr;
  Control* control_ = nullptr;
  std::byte* data_ = nullptr;
  Doorbell* peer_bell_ = nullptr;
  std::uint64_t next_ = 0;  // slice to be viewed
  std::uint64_t tail_ = 0;  // slices released
  bool populated_ = false;  // the data area is in this process's page table
  Status failed_;
};

}  // namespace amalgam::ring
