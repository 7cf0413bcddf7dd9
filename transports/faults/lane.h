#pragma once

#include <fmt/format.h>

#include <memory>

#include "transports/decorator/decorator.h"
#include "transports/faults/schedule.h"

namespace amalgam::faults {

// Where one lane is in the schedule.
class Course {
 public:
  Course(std::shared_ptr<const Schedule> schedule, Direction direction, std::uint64_t lane)
      : schedule_(std::move(schedule)), direction_(direction), lane_(lane) {}

  // True when the slice may be tried now. One that the inner lane has begun to move is not held again.
  Result<bool> admit() {
    if (schedule_->fails(direction_, slice_))
      return Status(Code::kSystem, fmt::format("slice {} fails as AMALGAM_FAULTS asks", slice_));
    return tried_++ >= schedule_->tries(direction_, lane_, slice_);
  }
  void moved() {
    ++slice_;
    tried_ = 0;
  }

 private:
  const std::shared_ptr<const Schedule> schedule_;  // of the transport, which the lane may outlive
  const Direction direction_;
  const std::uint64_t lane_;
  std::uint64_t slice_ = 0;
  std::uint64_t tried_ = 0;
};

class SendLane final : public decorator::SendLane {
 public:
  SendLane(std::unique_ptr<transport::SendLane> inner, Course course)
      : decorator::SendLane(std::move(inner)), course_(std::move(course)) {}

  Result<bool> send(const transport::SliceTag& tag, ConstBytes bytes) override {
    return pass([&] { return inner().send(tag, bytes); });
  }
  Result<bool> commit(const transport::SliceTag& tag) override {
    return pass([&] { return inner().commit(tag); });
  }
  Result<bool> send_reference(const transport::SliceTag& tag, ConstBytes bytes) override {
    return pass([&] { return inner().send_reference(tag, bytes); });
  }

 private:
  template <typename Action>
  Result<bool> pass(Action action) {
    Result<bool> admitted = course_.admit();
    if (!admitted.ok() || !*admitted) return admitted;
    Result<bool> done = action();
    if (done.ok() && *done) course_.moved();
    return done;
  }

  Course course_;
};

class ReceiveLane final : public decorator::ReceiveLane {
 public:
  ReceiveLane(std::unique_ptr<transport::ReceiveLane> inner, Course course)
      : decorator::ReceiveLane(std::move(inner)), course_(std::move(course)) {}

  Result<const std::byte*> view(const transport::SliceTag& expected) override {
    Result<bool> admitted = course_.admit();
    if (!admitted.ok()) return admitted.status();
    if (!*admitted) return nullptr;
    auto seen = inner().view(expected);
    if (seen.ok() && *seen != nullptr) course_.moved();
    return seen;
  }
  Result<bool> receive(const transport::SliceTag& expected, Bytes destination) override {
    Result<bool> admitted = course_.admit();
    if (!admitted.ok() || !*admitted) return admitted;
    auto done = inner().receive(expected, destination);
    if (done.ok() && *done) course_.moved();
    return done;
  }

 private:
  Course course_;
};

}  // namespace amalgam::faults
