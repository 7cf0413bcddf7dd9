#pragma once

// Lanes between two threads of one process: the common ring, plus references to any bytes, since both see all memory.

#include <memory>

#include "transports/loopback/house.h"
#include "transports/ring/receive_lane.h"
#include "transports/ring/send_lane.h"

namespace amalgam::loopback {

class SendLane final : public ring::SendLane {
 public:
  SendLane(std::shared_ptr<Memory> memory, std::shared_ptr<Endpoint> receiver, int self, int peer)
      : ring::SendLane(memory->ring().geometry, self, peer),
        memory_(std::move(memory)),
        receiver_(std::move(receiver)) {
    use(memory_->ring(), &receiver_->bell());
  }
  ~SendLane() override { say_goodbye(); }

 private:
  Status attach() override { return {}; }
  bool describe(ConstBytes bytes, ring::Reference* reference) const override {
    reference->offset = reinterpret_cast<std::uintptr_t>(bytes.data());
    return true;
  }

  const std::shared_ptr<Memory> memory_;
  const std::shared_ptr<Endpoint> receiver_;
};

class ReceiveLane final : public ring::ReceiveLane {
 public:
  ReceiveLane(std::shared_ptr<Memory> memory, std::shared_ptr<Endpoint> sender, int self, int peer)
      : ring::ReceiveLane(memory->ring().geometry, self, peer), memory_(std::move(memory)), sender_(std::move(sender)) {
    use(memory_->ring(), &sender_->bell());
  }
  ~ReceiveLane() override { say_goodbye(); }

 private:
  Status attach() override { return {}; }
  Result<const std::byte*> resolve(const ring::Reference& reference, std::size_t) override {
    return reinterpret_cast<const std::byte*>(static_cast<std::uintptr_t>(reference.offset));
  }

  const std::shared_ptr<Memory> memory_;
  const std::shared_ptr<Endpoint> sender_;
};

}  // namespace amalgam::loopback
