#include "bootstrap/group.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "ranks.h"

namespace amalgam::bootstrap {
namespace {

using testing::HasSubstr;

class Sizes : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Ranks, Sizes, testing::Values(1, 2, 3, 8, 33, 200));

// Rank-dependent lengths, empty ones included.
std::string contribution(int rank, int round) {
  return std::string(static_cast<std::size_t>(rank * 7 % 13 + round), static_cast<char>('a' + (rank + round) % 26));
}

TEST_P(Sizes, EveryRankGathersTheBytesOfAll) {
  const int ranks = GetParam();
  std::vector<std::unique_ptr<Group>> groups = join_all(new_id(), ranks);
  ASSERT_FALSE(groups.empty());
  on_threads(ranks, [&](int rank) {
    Group& group = *groups[static_cast<std::size_t>(rank)];
    EXPECT_EQ(group.id(), groups[0]->id());
    for (int round = 0; round < 5; ++round) {
      auto all = group.allgather(blob(contribution(rank, round)), nullptr, kPatience);
      ASSERT_TRUE(all.ok()) << all.status().message();
      ASSERT_EQ(all->size(), static_cast<std::size_t>(ranks));
      for (int other = 0; other < ranks; ++other)
        EXPECT_EQ(text((*all)[static_cast<std::size_t>(other)]), contribution(other, round));
    }
  });
}

TEST(Group, GathersTensOfMegabytes) {
  auto groups = join_all(new_id(), 3);
  ASSERT_FALSE(groups.empty());
  on_threads(3, [&](int rank) {
    const std::vector<std::byte> mine(std::size_t{10} << 20, static_cast<std::byte>(rank + 1));
    auto all = groups[static_cast<std::size_t>(rank)]->allgather(mine, nullptr, kPatience);
    ASSERT_TRUE(all.ok()) << all.status().message();
    for (std::size_t other = 0; other < 3; ++other)
      EXPECT_EQ((*all)[other], std::vector<std::byte>(mine.size(), static_cast<std::byte>(other + 1)));
  });
}

TEST(Group, RefusesAGatherAboveItsLimit) {
  auto groups = join_all(new_id(), 2);
  ASSERT_FALSE(groups.empty());
  on_threads(2, [&](int rank) {
    auto all = groups[static_cast<std::size_t>(rank)]->allgather(std::vector<std::byte>(std::size_t{40} << 20), nullptr,
                                                                 kPatience);
    ASSERT_FALSE(all.ok());
    EXPECT_THAT(all.status().message(), HasSubstr("64 MiB"));
  });
}

TEST(Group, TwoGroupsOfTheSameRanksDoNotMix) {
  auto first = join_all(new_id(), 3);
  auto second = join_all(new_id(), 3);
  ASSERT_FALSE(first.empty() || second.empty());
  EXPECT_NE(first[0]->id(), second[0]->id());
  on_threads(3, [&](int rank) {
    const auto r = static_cast<std::size_t>(rank);
    auto b = second[r]->allgather(blob("second"), nullptr, kPatience);
    auto a = first[r]->allgather(blob("first"), nullptr, kPatience);
    ASSERT_TRUE(a.ok() && b.ok());
    EXPECT_EQ(text((*a)[2]), "first");
    EXPECT_EQ(text((*b)[2]), "second");
  });
}

TEST(Group, GathersFlightRecordsFromAnyRank) {
  auto groups = join_all(new_id(), 7, [](JoinOptions& options) {
    options.flight_record = [rank = options.rank] { return blob("record " + std::to_string(rank)); };
  });
  ASSERT_FALSE(groups.empty());
  for (std::size_t asker : {0, 3, 6}) {
    const auto records = groups[asker]->gather_flight_records(kPatience);
    ASSERT_EQ(records.size(), 7u);
    for (std::size_t rank = 0; rank < 7; ++rank) EXPECT_EQ(text(records[rank]), "record " + std::to_string(rank));
  }
}

TEST(Group, DerivesAGroupWithoutTalking) {
  auto parents = join_all(new_id(), 5);
  ASSERT_FALSE(parents.empty());
  std::vector<std::unique_ptr<Group>> children(3);
  on_threads(3, [&](int rank) {  // ranks 2, 3, 4 of the parent; 2 leads
    Result<UniqueId> id = parents[static_cast<std::size_t>(rank) + 2]->derive_id("split 1", 2);
    ASSERT_TRUE(id.ok());
    Joined joined = Group::join(options_of(*id, rank, 3));
    ASSERT_TRUE(joined.ok()) << joined.status().message();
    auto all = (*joined)->allgather(blob(std::to_string(rank)), nullptr, kPatience);
    ASSERT_TRUE(all.ok());
    EXPECT_EQ(text((*all)[2]), "2");
    EXPECT_NE((*joined)->id(), parents[0]->id());
  });
}

TEST(Group, RefusesRanksThatCannotBe) {
  const UniqueId id = new_id();
  for (auto [rank, ranks] : {std::pair(-1, 2), {2, 2}, {0, 0}, {0, -5}}) {
    Joined joined = Group::join(options_of(id, rank, ranks));
    ASSERT_FALSE(joined.ok());
    EXPECT_EQ(joined.status().code(), Code::kInvalidArgument);
  }
}

std::size_t entries(const char* folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

// Leaving is finished by the service thread a moment later: waits for it, with a deadline that only a leak meets.
bool comes_down_to(const char* folder, std::size_t wanted) {
  const TimePoint deadline = Clock::now() + kPatience;
  while (entries(folder) > wanted && Clock::now() < deadline) std::this_thread::yield();
  return entries(folder) <= wanted;
}

TEST(Group, RoundsOfJoinAndLeaveLeaveNothingBehind) {
  join_all(new_id(), 3);  // starts the service
  ASSERT_TRUE(comes_down_to("/proc/self/fd", entries("/proc/self/fd")));
  join_all(new_id(), 1);
  const UniqueId first = new_id();
  join_all(first, 3).clear();
  const std::size_t threads = entries("/proc/self/task");
  std::size_t fds = 0;
  for (int round = 0; round < 200; ++round) {
    join_all(new_id(), round % 3 + 1).clear();
    if (round == 20) fds = entries("/proc/self/fd") + 16;  // some may be closing just now
  }
  EXPECT_TRUE(comes_down_to("/proc/self/fd", fds)) << entries("/proc/self/fd") << " fds, " << fds << " after 20 rounds";
  EXPECT_TRUE(comes_down_to("/proc/self/task", threads));
}

TEST(Group, RanksLeaveInAnyOrderAndTheRestGoesOn) {
  const std::vector<std::vector<std::size_t>> orders = {{0, 1, 2, 3, 4, 5}, {5, 4, 3, 2, 1, 0}, {1, 0, 5, 2, 4, 3}};
  for (const auto& order : orders) {
    std::atomic<int> errors{0};
    auto groups =
        join_all(new_id(), 6, [&](JoinOptions& options) { options.on_error = [&](const Status&) { ++errors; }; });
    ASSERT_FALSE(groups.empty());
    for (std::size_t rank : order) {
      const auto records = groups[rank]->gather_flight_records(kPatience);  // passes through nodes that have left
      EXPECT_EQ(records.size(), 6u);
      groups[rank].reset();
    }
    EXPECT_EQ(errors, 0);
  }
}

// One byte through a stream, and back.
void talk(transport::Connector& connector, int self, int peer, transport::StreamKey key) {
  UniqueFd fd;
  while (!fd.valid()) {
    Result<UniqueFd> taken = connector.take(peer, key);
    ASSERT_TRUE(taken.ok()) << taken.status().message();
    fd = taken.take();
    if (!fd.valid()) std::this_thread::yield();
  }
  const unsigned char sent[2] = {static_cast<unsigned char>(self * 16 + peer), static_cast<unsigned char>(key.index)};
  ASSERT_EQ(write(fd.get(), sent, 2), 2);
  unsigned char got[2] = {};
  for (ssize_t have = 0; have < 2;) {
    const ssize_t more = read(fd.get(), got + have, static_cast<std::size_t>(2 - have));
    if (more < 0) {
      ASSERT_EQ(errno, EAGAIN);  // non-blocking
      std::this_thread::yield();
      continue;
    }
    ASSERT_GT(more, 0);
    have += more;
  }
  EXPECT_EQ(got[0], peer * 16 + self);
  EXPECT_EQ(got[1], key.index);
}

TEST(Connector, JoinsAllPairsWithSeveralKeys) {
  auto groups = join_all(new_id(), 4);
  ASSERT_FALSE(groups.empty());
  on_threads(4, [&](int rank) {
    transport::Connector& connector = groups[static_cast<std::size_t>(rank)]->connector();
    ASSERT_FALSE(connector.listeners().empty());
    const auto key = [](std::uint16_t index) { return transport::StreamKey{'t', 1, 2, index}; };
    for (int peer = 0; peer < 4; ++peer)
      for (std::uint16_t index = 0; index < 3; ++index)
        if (peer != rank)
          connector.want(peer, key(index), {}, connector.listeners()[0]);  // one process: same listeners
    for (int peer = 0; peer < 4; ++peer)
      for (std::uint16_t index = 0; index < 3; ++index)
        if (peer != rank) talk(connector, rank, peer, key(index));
  });
}

TEST(Connector, SaysWhomItCouldNotReach) {
  auto groups = join_all(new_id(), 2);
  ASSERT_FALSE(groups.empty());
  transport::Connector& connector = groups[0]->connector();
  const SocketAddress nobody = *SocketAddress::parse("127.0.0.1:1");
  connector.want(1, {}, {}, nobody);
  Result<UniqueFd> taken{UniqueFd()};
  while (taken.ok()) taken = connector.take(1, {});
  EXPECT_THAT(taken.status().message(), HasSubstr("rank 1 at 127.0.0.1:1"));
  EXPECT_FALSE(connector.take(1, {}).ok()) << "the error sticks";
}

}  // namespace
}  // namespace amalgam::bootstrap
