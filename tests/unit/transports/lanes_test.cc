// What every transport promises (base/transport.h), for all of them: ranks are threads or objects of one process.

#include <sched.h>

#include <atomic>
#include <random>
#include <thread>

#include "base/host_memory.h"
#include "tests/unit/transports/world.h"

namespace amalgam::transport {
namespace {

constexpr int kPatience = 20000000;  // polls, far beyond any honest wait

template <typename Attempt>
bool until(Attempt attempt) {
  for (int i = 0; i < kPatience; ++i) {
    if (attempt()) return true;
    if (i % 64 == 63) sched_yield();
  }
  return false;
}

bool put(SendLane& lane, const SliceTag& tag, ConstBytes bytes) {
  return until([&] {
    auto sent = lane.send(tag, bytes);
    EXPECT_TRUE(sent.ok()) << sent.status().message();
    return !sent.ok() || *sent;
  });
}

const std::byte* look(ReceiveLane& lane, const SliceTag& tag) {
  const std::byte* where = nullptr;
  until([&] {
    auto seen = lane.view(tag);
    EXPECT_TRUE(seen.ok()) << seen.status().message();
    if (seen.ok()) where = *seen;
    return !seen.ok() || where != nullptr;
  });
  return where;
}

bool get(ReceiveLane& lane, const SliceTag& tag, Bytes to) {
  return until([&] {
    auto received = lane.receive(tag, to);
    EXPECT_TRUE(received.ok()) << received.status().message();
    return !received.ok() || *received;
  });
}

Status error_of(ReceiveLane& lane, const SliceTag& tag) {
  Status status;
  until([&] {
    auto seen = lane.view(tag);
    if (!seen.ok()) status = seen.status();
    return !seen.ok() || *seen != nullptr;
  });
  return status;
}

class Lanes : public testing::TestWithParam<const char*> {
 protected:
  bool memory() const { return std::string(GetParam()) != "tcp"; }
};
INSTANTIATE_TEST_SUITE_P(AllTransports, Lanes, testing::Values("loopback", "shm", "named", "tcp"),
                         [](const auto& chosen) { return std::string(chosen.param); });

TEST_P(Lanes, ReachTheOtherRanks) {
  World world(GetParam(), 3);
  EXPECT_TRUE(world[0].receives_from(1));
  EXPECT_TRUE(world[2].receives_from(0));
  EXPECT_FALSE(world[0].receives_from(3));
  EXPECT_FALSE(world[0].receives_from(-1));
  EXPECT_EQ(world[0].capabilities().slice_bytes, kSliceBytes);
  EXPECT_EQ(world[0].capabilities().shared_domain, memory());
}

TEST_P(Lanes, GarbageDescriptionsAreNotNeighbours) {
  World world(GetParam(), 2);
  std::mt19937 random(5);
  auto genuine = world[1].describe().take();
  for (std::size_t size = 0; size < genuine.size(); ++size) {
    std::vector<std::byte> cut(genuine.begin(), genuine.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_TRUE(world[0].learn({{}, cut}).ok());
    EXPECT_FALSE(world[0].receives_from(1)) << size;
  }
  for (int i = 0; i < 200; ++i) {
    std::vector<std::byte> noise(random() % 100);
    for (auto& b : noise) b = static_cast<std::byte>(random());
    EXPECT_TRUE(world[0].learn({{}, noise}).ok());
    EXPECT_FALSE(memory() && world[0].receives_from(1));
  }
}

TEST_P(Lanes, DeliverEverySizeInOrderBothWays) {
  World world(GetParam(), 2);
  auto to1 = world.send(0, 1), to0 = world.send(1, 0);
  auto at1 = world.receive(1, 0), at0 = world.receive(0, 1);
  std::uint32_t position = 0;
  for (int round = 0; round < 3; ++round)
    for (std::size_t size : odd_sizes()) {
      const auto data = content(0, position, size);
      const SliceTag tag = tag_of(position++, size);
      ASSERT_TRUE(put(*to1, tag, data));
      std::vector<std::byte> middle(size), back(size);
      const std::byte* where = look(*at1, tag);
      ASSERT_NE(where, nullptr);
      middle.assign(where, where + size);
      at1->release();
      ASSERT_TRUE(put(*to0, tag, middle));
      ASSERT_TRUE(get(*at0, tag, back));
      EXPECT_EQ(back, data) << size;
    }
}

TEST_P(Lanes, StreamBetweenThreads) {
  World world(GetParam(), 2);
  auto lane = world.send(0, 1);
  auto end = world.receive(1, 0);
  constexpr std::uint32_t kSlices = 3000;
  std::thread sender([&] {
    for (std::uint32_t i = 0; i < kSlices; ++i) {
      const auto data = content(0, i, odd_sizes()[i % odd_sizes().size()]);
      if (!put(*lane, tag_of(i, data.size()), data)) return;
    }
  });
  for (std::uint32_t i = 0; i < kSlices; ++i) {
    const auto data = content(0, i, odd_sizes()[i % odd_sizes().size()]);
    std::vector<std::byte> got(data.size());
    if (!get(*end, tag_of(i, data.size()), got) || got != data) {
      ADD_FAILURE() << "slice " << i;
      break;
    }
  }
  sender.join();
  EXPECT_EQ(*lane->completed(), kSlices);
  EXPECT_TRUE(lane->drained());
}

TEST_P(Lanes, HoldViewsUpToTheWindow) {
  World world(GetParam(), 2);
  auto lane = world.send(0, 1);
  auto end = world.receive(1, 0);
  const int window = world[0].capabilities().window;
  std::vector<const std::byte*> views;
  for (int i = 0; i < window; ++i) {
    const auto data = content(0, static_cast<std::uint32_t>(i), 5000);
    ASSERT_TRUE(put(*lane, tag_of(static_cast<std::uint32_t>(i), 5000), data));
    views.push_back(look(*end, tag_of(static_cast<std::uint32_t>(i), 5000)));
    ASSERT_NE(views.back(), nullptr);
  }
  if (memory()) {
    EXPECT_FALSE(*lane->send(tag_of(static_cast<std::uint32_t>(window), 1), content(0, 0, 1)));
  }
  for (int i = 0; i < window; ++i) {
    const auto data = content(0, static_cast<std::uint32_t>(i), 5000);
    EXPECT_TRUE(std::equal(data.begin(), data.end(), views[static_cast<std::size_t>(i)]));
    end->release();
  }
  ASSERT_TRUE(put(*lane, tag_of(static_cast<std::uint32_t>(window), 1), content(0, 0, 1)));
  EXPECT_NE(look(*end, tag_of(static_cast<std::uint32_t>(window), 1)), nullptr);
}

TEST_P(Lanes, ProduceInPlace) {
  World world(GetParam(), 2);
  auto lane = world.send(0, 1);
  auto end = world.receive(1, 0);
  for (std::uint32_t i = 0; i < 40; ++i) {
    const auto data = content(0, i, odd_sizes()[i % odd_sizes().size()]);
    const SliceTag tag = tag_of(i, data.size());
    auto place = lane->reserve(tag);
    ASSERT_TRUE(place.ok());
    ASSERT_NE(*place, nullptr);
    std::copy(data.begin(), data.end(), *place);
    ASSERT_TRUE(until([&] { return *lane->commit(tag); }));
    std::vector<std::byte> got(data.size());
    ASSERT_TRUE(get(*end, tag, got));
    EXPECT_EQ(got, data);
  }
}

TEST_P(Lanes, ReferToMemoryThatThePeerCanReach) {
  World world(GetParam(), 2);
  auto lane = world.send(0, 1);
  auto end = world.receive(1, 0);
  auto* memory = static_cast<std::byte*>(host_memory::allocate(100000).take());
  const auto data = content(0, 0, kSliceBytes);
  std::copy(data.begin(), data.end(), memory + 4321);
  const ConstBytes bytes(memory + 4321, kSliceBytes);
  const bool by_reference = std::string(GetParam()) == "loopback" || std::string(GetParam()) == "shm";
  EXPECT_EQ(lane->can_reference(bytes), by_reference);
  for (std::uint32_t i = 0; i < 30; ++i) {
    const SliceTag tag = tag_of(i, kSliceBytes);
    ASSERT_TRUE(until([&] { return *lane->send_reference(tag, bytes); }));
    EXPECT_EQ(*lane->completed(), by_reference ? i : i + 1);
    const std::byte* where = look(*end, tag);
    ASSERT_NE(where, nullptr);
    EXPECT_TRUE(std::equal(data.begin(), data.end(), where));
    end->release();
    EXPECT_EQ(*lane->completed(), i + 1);
  }
  EXPECT_TRUE(host_memory::release(memory).ok());
}

TEST_P(Lanes, CountCompletionInOrderWhenCopiesFollowReferences) {
  World world(GetParam(), 2);
  auto lane = world.send(0, 1);
  auto end = world.receive(1, 0);
  auto* memory = static_cast<std::byte*>(host_memory::allocate(8192).take());
  const ConstBytes bytes(memory, 4096);
  if (!lane->can_reference(bytes)) GTEST_SKIP() << "this transport copies";
  ASSERT_TRUE(put(*lane, tag_of(0, 10), content(0, 0, 10)));
  ASSERT_TRUE(*lane->send_reference(tag_of(1, 4096), bytes));
  ASSERT_TRUE(put(*lane, tag_of(2, 10), content(0, 2, 10)));
  EXPECT_EQ(*lane->completed(), 1u);
  ASSERT_NE(look(*end, tag_of(0, 10)), nullptr);
  ASSERT_NE(look(*end, tag_of(1, 4096)), nullptr);
  end->release();
  EXPECT_EQ(*lane->completed(), 1u);
  EXPECT_FALSE(lane->drained());
  end->release();
  EXPECT_EQ(*lane->completed(), 3u);
  EXPECT_TRUE(host_memory::release(memory).ok());
}

TEST_P(Lanes, RefuseAnotherTagAndNameBothSides) {
  for (int field = 0; field < 5; ++field) {
    World world(GetParam(), 2);
    auto lane = world.send(0, 1);
    auto end = world.receive(1, 0);
    const SliceTag sent = tag_of(3, 100);
    SliceTag expected = sent;
    if (field == 0) expected.communicator = 8;
    if (field == 1) expected.plan = 99;
    if (field == 2) expected.sequence = 14;
    if (field == 3) expected.position = 4;
    if (field == 4) expected.bytes = 101;
    ASSERT_TRUE(put(*lane, sent, content(0, 3, 100)));
    const Status status = error_of(*end, expected);
    EXPECT_EQ(status.code(), Code::kProtocol);
    EXPECT_NE(status.message().find("rank 1 expected from rank 0"), std::string::npos) << status.message();
    EXPECT_EQ(error_of(*end, sent).code(), Code::kProtocol) << "errors stick";
  }
}

TEST_P(Lanes, TellThatThePeerClosedAfterItsLastSlice) {
  World world(GetParam(), 2);
  auto lane = world.send(0, 1);
  auto reverse = world.receive(0, 1);
  auto end = world.receive(1, 0);
  std::vector<std::byte> got(50);
  constexpr std::uint32_t kLast = 9;  // so that all sockets of tcp are in use
  for (std::uint32_t i = 0; i < kLast; ++i) {
    ASSERT_TRUE(put(*lane, tag_of(i, 50), content(0, i, 50)));
    ASSERT_TRUE(get(*end, tag_of(i, 50), got));
  }
  ASSERT_TRUE(put(*lane, tag_of(kLast, 50), content(0, kLast, 50)));
  lane.reset();
  reverse.reset();
  world.close(0);
  ASSERT_TRUE(get(*end, tag_of(kLast, 50), got));
  EXPECT_EQ(got, content(0, kLast, 50));
  EXPECT_EQ(error_of(*end, tag_of(kLast + 1, 50)).code(), Code::kRemote);
}

TEST_P(Lanes, TellASenderWithoutCreditsThatThePeerClosed) {
  World world(GetParam(), 2);
  auto lane = world.send(0, 1);
  auto end = world.receive(1, 0);
  ASSERT_TRUE(put(*lane, tag_of(0, 50), content(0, 0, 50)));
  ASSERT_NE(look(*end, tag_of(0, 50)), nullptr);
  end->release();
  end.reset();
  const auto data = content(0, 0, kSliceBytes);
  Code code = Code::kOk;
  std::uint32_t position = 1;
  until([&] {
    auto sent = lane->send(tag_of(position, data.size()), data);
    if (sent.ok() && *sent) ++position;
    if (!sent.ok()) code = sent.status().code();
    return !sent.ok();
  });
  EXPECT_EQ(code, Code::kRemote);
}

TEST_P(Lanes, KeepChannelsAndCommunicatorsApart) {
  World first(GetParam(), 2, 7), second(GetParam(), 2, 8);
  std::vector<std::unique_ptr<SendLane>> sends;
  std::vector<std::unique_ptr<ReceiveLane>> receives;
  constexpr int kChannels = 16;
  for (int c = 0; c < kChannels; ++c)
    for (World* world : {&first, &second}) {
      sends.push_back(world->send(0, 1, c));
      receives.push_back(world->receive(1, 0, c));
    }
  for (std::size_t i = sends.size(); i-- > 0;)
    ASSERT_TRUE(put(*sends[i], tag_of(0, 300 + i), content(static_cast<int>(i), 0, 300 + i)));
  for (std::size_t i = 0; i < receives.size(); ++i) {
    std::vector<std::byte> got(300 + i);
    ASSERT_TRUE(get(*receives[i], tag_of(0, 300 + i), got));
    EXPECT_EQ(got, content(static_cast<int>(i), 0, 300 + i));
  }
}

TEST_P(Lanes, RefuseSlicesThatAreTooLarge) {
  World world(GetParam(), 2);
  auto lane = world.send(0, 1);
  EXPECT_EQ(lane->send(tag_of(0, kSliceBytes + 1), content(0, 0, kSliceBytes + 1)).status().code(),
            Code::kInvalidArgument);
}

// Both sides sleep as soon as they find nothing. A lost wake-up would cost the whole limit; the count of expired limits
// tells.
TEST_P(Lanes, WakeASleeperForEverySlice) {
  World world(GetParam(), 2);
  if (!world[0].has_doorbell()) GTEST_SKIP() << "no doorbell";
  constexpr std::uint32_t kRounds = 20000;
  constexpr auto kLimit = std::chrono::seconds(20);
  std::atomic<int> expired{0};
  const auto side = [&](int self) {
    auto lane = world.send(self, 1 - self);
    auto end = world.receive(self, 1 - self);
    std::byte value{};
    const auto wait = [&](auto attempt) {
      while (!attempt()) {
        const std::uint32_t seen = world[self].doorbell();
        if (attempt()) return;
        const auto before = std::chrono::steady_clock::now();
        world[self].park(seen, kLimit);
        if (std::chrono::steady_clock::now() - before >= kLimit) ++expired;
      }
    };
    for (std::uint32_t i = 0; i < kRounds && expired == 0; ++i) {
      if (self == 0) wait([&] { return *lane->send(tag_of(i, 1), ConstBytes(&value, 1)); });
      wait([&] { return *end->receive(tag_of(i, 1), Bytes(&value, 1)); });
      if (self == 1) wait([&] { return *lane->send(tag_of(i, 1), ConstBytes(&value, 1)); });
    }
    wait([&] { return lane->drained(); });
  };
  std::thread other(side, 1);
  side(0);
  other.join();
  EXPECT_EQ(expired, 0);
}

// A sender that is much faster sleeps for credits, and is woken by release().
TEST_P(Lanes, WakeASenderThatWaitsForCredits) {
  World world(GetParam(), 2);
  if (!world[0].has_doorbell()) GTEST_SKIP() << "no doorbell";
  auto lane = world.send(0, 1);
  auto end = world.receive(1, 0);
  constexpr std::uint32_t kSlices = 20000;
  constexpr auto kLimit = std::chrono::seconds(20);
  std::atomic<bool> expired{false};
  std::thread sender([&] {
    const auto data = content(0, 0, 200);
    for (std::uint32_t i = 0; i < kSlices && !expired;) {
      if (*lane->send(tag_of(i, 200), data)) {
        ++i;
        continue;
      }
      const std::uint32_t seen = world[0].doorbell();
      if (*lane->send(tag_of(i, 200), data)) {
        ++i;
        continue;
      }
      const auto before = std::chrono::steady_clock::now();
      world[0].park(seen, kLimit);
      if (std::chrono::steady_clock::now() - before >= kLimit) expired = true;
    }
  });
  for (std::uint32_t i = 0; i < kSlices && !expired; ++i) {
    std::vector<std::byte> got(200);
    if (!get(*end, tag_of(i, 200), got)) break;
  }
  sender.join();
  EXPECT_FALSE(expired);
}

}  // namespace
}  // namespace amalgam::transport
