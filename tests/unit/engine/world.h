#pragma once

// The executor alone: N ranks as threads over loopback lanes, any plan, no bootstrap and no communicator.

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/transport.h"
#include "engine/drive.h"
#include "engine/operation.h"
#include "plan/plan.h"

namespace amalgam::engine {

class NeverStops final : public StopSignal {
 public:
  bool raised() const override { return false; }
  Status reason() const override { return {}; }
};

// One rank: a loopback transport, its lanes, and the counters of what ran on them.
class TestRank final : public LaneOpener {
 public:
  TestRank(int rank, int ranks, std::uint64_t communicator) : rank_(rank), lanes_(ranks, *this) {
    auto made = transport::create_transports({rank, ranks, communicator, nullptr}, "loopback");
    EXPECT_TRUE(made.ok());
    transport_ = std::move((*made)[0]);
    context_ = {rank, ranks, ranks, nullptr, static_cast<std::uint32_t>(communicator), &lanes_, &counters_};
  }
  transport::Transport& transport() { return *transport_; }
  Context& context() { return context_; }
  const Counters& counters() const { return counters_; }

  Status run(const plan::Plan& plan, const Request& request, bool fp32 = false) {
    Prepared prepared(plan, rank_, request.root, plan::hash(plan));
    Operation operation;
    ++sequence_;
    AMALGAM_TRY(operation.start(prepared, request, sequence_, sequence_, context_, fp32));
    return finish(operation);
  }
  Status finish(Operation& operation) {
    NeverStops never;
    Track track(never, {transport_.get(), &lanes_}, {true, std::chrono::microseconds(200)});
    track.add(&operation, operation.request().collective);
    Track* only = &track;
    Status status;
    drive(std::span(&only, 1), std::span(&status, 1));
    return status;
  }

  Result<std::unique_ptr<transport::SendLane>> open_send(int peer, int channel) override {
    return transport_->open_send(peer, channel);
  }
  Result<std::unique_ptr<transport::ReceiveLane>> open_receive(int peer, int channel) override {
    return transport_->open_receive(peer, channel);
  }

 private:
  int rank_;
  std::unique_ptr<transport::Transport> transport_;
  Counters counters_;
  Lanes lanes_;
  Context context_;
  std::uint64_t sequence_ = 0;
};

// Runs `body` on every rank's thread.
inline void with_ranks(int ranks, const std::function<void(int, TestRank&)>& body) {
  static std::atomic<std::uint64_t> communicators{1000};
  const std::uint64_t communicator = ++communicators;
  std::vector<std::unique_ptr<TestRank>> all;
  std::vector<std::vector<std::byte>> descriptions;
  for (int rank = 0; rank < ranks; ++rank) {
    all.push_back(std::make_unique<TestRank>(rank, ranks, communicator));
    descriptions.push_back(*all.back()->transport().describe());
  }
  for (auto& rank : all) EXPECT_TRUE(rank->transport().learn(descriptions).ok());
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) threads.emplace_back([&, rank] { body(rank, *all[rank]); });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace amalgam::engine
