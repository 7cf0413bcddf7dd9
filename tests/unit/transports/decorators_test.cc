#include "tests/unit/transports/world.h"
#include "transports/faults/transport.h"
#include "transports/rate/transport.h"
#include "transports/trace/transport.h"

namespace amalgam::transport {
namespace {

// Rank 0 of a loopback pair, wrapped; rank 1 bare.
class Decorators : public testing::Test {
 protected:
  Decorators() {
    for (int rank = 0; rank < 2; ++rank) ranks_.push_back(make_transport("loopback", {rank, 2, 7, nullptr}).take());
  }
  void meet() {
    std::vector<std::vector<std::byte>> all{ranks_[0]->describe().take(), ranks_[1]->describe().take()};
    for (auto& rank : ranks_) ASSERT_TRUE(rank->learn(all).ok());
    send_ = ranks_[0]->open_send(1, 5).take();
    receive_ = ranks_[0]->open_receive(1, 5).take();
    peer_send_ = ranks_[1]->open_send(0, 5).take();
    peer_receive_ = ranks_[1]->open_receive(0, 5).take();
  }
  Result<bool> send(std::uint32_t position) {
    const std::byte byte{3};
    return send_->send(tag_of(position, 1), ConstBytes(&byte, 1));
  }
  bool arrives(std::uint32_t position) {
    std::byte byte{};
    return *peer_receive_->receive(tag_of(position, 1), Bytes(&byte, 1)) && byte == std::byte{3};
  }

  std::vector<std::unique_ptr<Transport>> ranks_;
  std::unique_ptr<SendLane> send_, peer_send_;
  std::unique_ptr<ReceiveLane> receive_, peer_receive_;
};

TEST_F(Decorators, FaultsHoldAndFailTheSlicesOfTheSchedule) {
  ranks_[0] = faults::Transport::create(std::move(ranks_[0]), "send@1:3,fail-send@3,receive@0:2,fail-receive@1").take();
  meet();
  EXPECT_TRUE(*send(0));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(*send(1));
  EXPECT_TRUE(*send(1));
  EXPECT_TRUE(*send(2));
  EXPECT_EQ(send(3).status().code(), Code::kSystem);
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_TRUE(arrives(i));

  const std::byte byte{9};
  EXPECT_TRUE(*peer_send_->send(tag_of(0, 1), ConstBytes(&byte, 1)));
  EXPECT_EQ(*receive_->view(tag_of(0, 1)), nullptr);
  EXPECT_EQ(*receive_->view(tag_of(0, 1)), nullptr);
  EXPECT_NE(*receive_->view(tag_of(0, 1)), nullptr);
  receive_->release();
  EXPECT_EQ(receive_->view(tag_of(1, 1)).status().code(), Code::kSystem);
}

TEST_F(Decorators, RandomFaultsRepeatForASeedAndDifferBetweenSeeds) {
  const auto sum = [](std::string_view text) {
    const auto schedule = faults::Schedule::parse(text).take();
    std::vector<std::uint64_t> tries;
    for (std::uint64_t slice = 0; slice < 1000; ++slice)
      tries.push_back(schedule.tries(faults::Direction::kSend, 5, slice));
    return tries;
  };
  EXPECT_EQ(sum("random@4:30"), sum("random@4:30"));
  EXPECT_NE(sum("random@4:30"), sum("random@5:30"));
  const auto tries = sum("random@4:30");
  const auto held = std::count_if(tries.begin(), tries.end(), [](std::uint64_t n) { return n > 0; });
  EXPECT_GT(held, 200);
  EXPECT_LT(held, 400);
}

TEST_F(Decorators, FaultsRefuseAScheduleThatTheyDoNotUnderstand) {
  for (const char* text : {"send", "send@", "send@x", "explode@3", "send@3:", "send@3:4:5", "fail-@1"})
    EXPECT_EQ(faults::Schedule::parse(text).status().code(), Code::kInvalidArgument) << text;
}

TEST_F(Decorators, RateHoldsASliceUntilTheOnesBeforeItHadTheirTime) {
  ranks_[0] = std::make_unique<rate::Transport>(std::move(ranks_[0]), 1);  // a byte per second
  meet();
  EXPECT_TRUE(*send(0));
  EXPECT_FALSE(*send(1));
  EXPECT_TRUE(arrives(0));
  rate::Wire fast(1000000000000);
  fast.occupy(1);
  EXPECT_TRUE(fast.free() || fast.free());
}

TEST_F(Decorators, RateOfZeroLimitsNothing) {
  ranks_[0] = std::make_unique<rate::Transport>(std::move(ranks_[0]), 0);
  meet();
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_TRUE(*send(i));
}

TEST_F(Decorators, TraceRecordsWhatPassed) {
  auto traced = std::make_unique<trace::Transport>(std::move(ranks_[0]), 0, "");
  const trace::Transport& trace = *traced;
  ranks_[0] = std::move(traced);
  meet();
  EXPECT_EQ(ranks_[0]->name(), "trace:loopback");
  EXPECT_TRUE(*send(0));
  EXPECT_TRUE(*send(1));
  const std::byte byte{9};
  EXPECT_TRUE(*peer_send_->send(tag_of(0, 1), ConstBytes(&byte, 1)));
  EXPECT_NE(*receive_->view(tag_of(0, 1)), nullptr);
  receive_->release();
  const auto records = trace.journal().records();
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[1].tag, tag_of(1, 1));
  EXPECT_EQ(records[1].channel, 5);
  EXPECT_EQ(records[2].event, trace::Event::kReceived);
  EXPECT_EQ(records[3].event, trace::Event::kReleased);
  EXPECT_NE(trace.dump().find("rank 0 sent peer 1 channel 5 operation 13"), std::string::npos) << trace.dump();
}

TEST(TraceJournal, KeepsTheNewestRecordsInOrder) {
  trace::Journal journal;
  for (std::uint32_t i = 0; i < 10000; ++i) journal.add(trace::Event::kSent, 1, 0, tag_of(i, 0));
  const auto records = journal.records();
  ASSERT_EQ(records.size(), 4096u);
  for (std::size_t i = 0; i < records.size(); ++i) ASSERT_EQ(records[i].tag.position, 10000 - 4096 + i);
}

TEST(Registry, MakesTransportsInTheOrderOfTheListWithTheirDecorators) {
  Exchange exchange;
  TestConnector connector(&exchange, 0, 1);
  const Environment environment{0, 2, 7, &connector};
  auto made = create_transports(environment, "trace:shm,faults:rate:tcp,loopback").take();
  ASSERT_EQ(made.size(), 3u);
  EXPECT_EQ(made[0]->name(), "trace:shm");
  EXPECT_EQ(made[1]->name(), "faults:rate:tcp");
  EXPECT_EQ(made[2]->name(), "loopback");
  EXPECT_EQ(create_transports(environment, "shm,pigeon").status().code(), Code::kInvalidArgument);
  EXPECT_EQ(create_transports(environment, "gild:shm").status().code(), Code::kInvalidArgument);
  EXPECT_STREQ(builtin_transports()[0].name, "loopback");
}

}  // namespace
}  // namespace amalgam::transport
