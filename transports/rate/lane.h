#pragma once

#include <memory>

#include "transports/rate/transport.h"

namespace amalgam::rate {

// Holds a slice back while the wire is busy. One that the inner lane has begun to take goes on undisturbed.
class SendLane final : public decorator::SendLane {
 public:
  SendLane(std::unique_ptr<transport::SendLane> inner, std::shared_ptr<Wire> wire)
      : decorator::SendLane(std::move(inner)), wire_(std::move(wire)) {}

  Result<bool> send(const transport::SliceTag& tag, ConstBytes bytes) override {
    return gate(tag, [&] { return inner().send(tag, bytes); });
  }
  Result<bool> commit(const transport::SliceTag& tag) override {
    return gate(tag, [&] { return inner().commit(tag); });
  }
  Result<bool> send_reference(const transport::SliceTag& tag, ConstBytes bytes) override {
    return gate(tag, [&] { return inner().send_reference(tag, bytes); });
  }

 private:
  template <typename Action>
  Result<bool> gate(const transport::SliceTag& tag, Action action) {
    if (!begun_ && !wire_->free()) return false;
    if (!begun_) wire_->occupy(tag.bytes);
    Result<bool> done = action();
    begun_ = done.ok() && !*done;
    return done;
  }

  const std::shared_ptr<Wire> wire_;  // of the transport
  bool begun_ = false;
};

}  // namespace amalgam::rate
