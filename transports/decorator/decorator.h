#pragma once

// A transport around another one, and lanes around its lanes: everything passes through. The decorators faults, rate
// and trace override what they change; without them in the list of transports no code of theirs runs.
//
// Threads, ownership, errors: those of what is wrapped, which is owned.

#include <memory>
#include <string>
#include <utility>

#include "base/transport.h"

namespace amalgam::decorator {

class SendLane : public transport::SendLane {
 public:
  explicit SendLane(std::unique_ptr<transport::SendLane> inner) : inner_(std::move(inner)) {}

  Result<bool> send(const transport::SliceTag& tag, ConstBytes bytes) override { return inner_->send(tag, bytes); }
  Result<std::byte*> reserve(const transport::SliceTag& tag) override { return inner_->reserve(tag); }
  Result<bool> commit(const transport::SliceTag& tag) override { return inner_->commit(tag); }
  bool can_reference(ConstBytes bytes) const override { return inner_->can_reference(bytes); }
  Result<bool> send_reference(const transport::SliceTag& tag, ConstBytes bytes) override {
    return inner_->send_reference(tag, bytes);
  }
  Result<std::uint64_t> completed() override { return inner_->completed(); }
  bool drained() override { return inner_->drained(); }
  int poll_fd() const override { return inner_->poll_fd(); }

 protected:
  transport::SendLane& inner() { return *inner_; }

 private:
  const std::unique_ptr<transport::SendLane> inner_;
};

class ReceiveLane : public transport::ReceiveLane {
 public:
  explicit ReceiveLane(std::unique_ptr<transport::ReceiveLane> inner) : inner_(std::move(inner)) {}

  Result<const std::byte*> view(const transport::SliceTag& expected) override { return inner_->view(expected); }
  void release() override { inner_->release(); }
  Result<bool> receive(const transport::SliceTag& expected, Bytes destination) override {
    return inner_->receive(expected, destination);
  }
  int poll_fd() const override { return inner_->poll_fd(); }

 protected:
  transport::ReceiveLane& inner() { return *inner_; }

 private:
  const std::unique_ptr<transport::ReceiveLane> inner_;
};

class Transport : public transport::Transport {
 public:
  std::string name() const override { return name_ + ":" + inner_->name(); }
  transport::Capabilities capabilities() const override { return inner_->capabilities(); }
  Result<std::vector<std::byte>> describe() override { return inner_->describe(); }
  Status learn(const std::vector<std::vector<std::byte>>& descriptions) override { return inner_->learn(descriptions); }
  bool receives_from(int peer) override { return inner_->receives_from(peer); }
  std::uint32_t doorbell() override { return inner_->doorbell(); }
  void park(std::uint32_t seen, std::chrono::microseconds limit) override { inner_->park(seen, limit); }
  bool has_doorbell() const override { return inner_->has_doorbell(); }

  Result<std::unique_ptr<transport::SendLane>> open_send(int peer, int channel) override {
    auto lane = inner_->open_send(peer, channel);
    return lane.ok() ? Result<std::unique_ptr<transport::SendLane>>(wrap(lane.take(), peer, channel)) : std::move(lane);
  }
  Result<std::unique_ptr<transport::ReceiveLane>> open_receive(int peer, int channel) override {
    auto lane = inner_->open_receive(peer, channel);
    return lane.ok() ? Result<std::unique_ptr<transport::ReceiveLane>>(wrap(lane.take(), peer, channel))
                     : std::move(lane);
  }

 protected:
  Transport(std::string name, std::unique_ptr<transport::Transport> inner)
      : name_(std::move(name)), inner_(std::move(inner)) {}

  virtual std::unique_ptr<transport::SendLane> wrap(std::unique_ptr<transport::SendLane> lane, int peer,
                                                    int channel) = 0;
  virtual std::unique_ptr<transport::ReceiveLane> wrap(std::unique_ptr<transport::ReceiveLane> lane, int peer,
                                                       int channel) = 0;

 private:
  const std::string name_;
  const std::unique_ptr<transport::Transport> inner_;
};

}  // namespace amalgam::decorator
