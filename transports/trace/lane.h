#pragma once

#include <memory>

#include "transports/trace/transport.h"

namespace amalgam::trace {

struct Place {
  std::shared_ptr<Journal> journal;
  int peer;
  int channel;

  void note(Event event, const transport::SliceTag& tag) const { journal->add(event, peer, channel, tag); }
};

class SendLane final : public decorator::SendLane {
 public:
  SendLane(std::unique_ptr<transport::SendLane> inner, Place place)
      : decorator::SendLane(std::move(inner)), place_(std::move(place)) {}

  Result<bool> send(const transport::SliceTag& tag, ConstBytes bytes) override {
    return noted(inner().send(tag, bytes), Event::kSent, tag);
  }
  Result<bool> commit(const transport::SliceTag& tag) override { return noted(inner().commit(tag), Event::kSent, tag); }
  Result<bool> send_reference(const transport::SliceTag& tag, ConstBytes bytes) override {
    return noted(inner().send_reference(tag, bytes), Event::kReferred, tag);
  }

 private:
  Result<bool> noted(Result<bool> result, Event event, const transport::SliceTag& tag) const {
    if (result.ok() && *result) place_.note(event, tag);
    return result;
  }

  const Place place_;
};

class ReceiveLane final : public decorator::ReceiveLane {
 public:
  ReceiveLane(std::unique_ptr<transport::ReceiveLane> inner, Place place)
      : decorator::ReceiveLane(std::move(inner)), place_(std::move(place)) {}

  Result<const std::byte*> view(const transport::SliceTag& expected) override {
    auto result = inner().view(expected);
    if (result.ok() && *result != nullptr) place_.note(Event::kReceived, expected);
    return result;
  }
  void release() override {
    place_.note(Event::kReleased, {});
    inner().release();
  }
  Result<bool> receive(const transport::SliceTag& expected, Bytes destination) override {
    auto result = inner().receive(expected, destination);
    if (result.ok() && *result) place_.note(Event::kReceived, expected);
    return result;
  }

 private:
  const Place place_;
};

}  // namespace amalgam::trace
