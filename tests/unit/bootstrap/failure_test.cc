#include <gmock/gmock.h>
#include <sys/resource.h>

#include "bootstrap/group.h"
#include "ranks.h"

namespace amalgam::bootstrap {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Each of these joins fails; returns the statuses by position.
std::vector<Status> failed_joins(std::vector<JoinOptions> joins) {
  std::vector<Status> statuses(joins.size());
  on_threads(static_cast<int>(joins.size()), [&](int i) {
    Joined joined = Group::join(joins[static_cast<std::size_t>(i)]);
    EXPECT_FALSE(joined.ok());
    statuses[static_cast<std::size_t>(i)] = joined.status();
  });
  return statuses;
}

TEST(Join, NamesTheRanksThatAreMissing) {
  const UniqueId id = new_id();
  const std::chrono::milliseconds timeout{1000};
  for (const Status& status : failed_joins({options_of(id, 0, 5, timeout), options_of(id, 2, 5, timeout)})) {
    EXPECT_EQ(status.code(), Code::kTimeout);
    EXPECT_THAT(status.message(), HasSubstr("ranks 1, 3 and 4 have not joined"));
  }
}

TEST(Join, TellsALateRankWhatHappened) {
  const UniqueId id = new_id();
  failed_joins({options_of(id, 0, 2, std::chrono::milliseconds(300))});
  const Status late = failed_joins({options_of(id, 1, 2)})[0];
  EXPECT_THAT(late.message(), HasSubstr("rank 1 has not joined"));
}

TEST(Join, NamesBothSidesOfDifferentNumbersOfRanks) {
  const UniqueId id = new_id();
  for (const Status& status : failed_joins({options_of(id, 0, 3), options_of(id, 1, 4)}))
    EXPECT_THAT(status.message(), AllOf(HasSubstr("rank 0"), HasSubstr("rank 1"), HasSubstr("3"), HasSubstr("4")));
}

TEST(Join, NamesBothProcessesOfOneRank) {
  const UniqueId id = new_id();
  for (const Status& status : failed_joins({options_of(id, 1, 3), options_of(id, 1, 3)}))
    EXPECT_THAT(status.message(), HasSubstr("two processes joined as rank 1"));
}

TEST(Join, RefusesAnIdThatWasUsedUp) {
  const UniqueId id = new_id();
  auto groups = join_all(id, 2);
  EXPECT_THAT(failed_joins({options_of(id, 0, 2)})[0].message(), HasSubstr("does not know this unique id"));
}

// It would dial until its time is over, and nobody would know why.
TEST(Join, FailsAtOnceWithoutFileDescriptors) {
  ASSERT_FALSE(join_all(new_id(), 2).empty());  // this process listens from here on
  const UniqueId id = new_id();
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit none{0, limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const std::vector<Status> statuses = failed_joins({options_of(id, 0, 2), options_of(id, 1, 2)});
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  for (const Status& status : statuses) {
    EXPECT_EQ(status.code(), Code::kSystem);
    EXPECT_THAT(status.message(), HasSubstr("ulimit -n"));
  }
}

TEST(Join, EndsWhenAborted) {
  const UniqueId id = new_id();
  AbortToken abort;
  std::thread firing([&] { abort.fire(); });
  JoinOptions options = options_of(id, 0, 2);
  options.abort = &abort;
  EXPECT_EQ(failed_joins({options})[0].code(), Code::kAborted);
  firing.join();
  // What the other rank then hears names the one that gave up, or that it is missing.
  EXPECT_THAT(failed_joins({options_of(id, 1, 2, std::chrono::milliseconds(2000))})[0].message(), HasSubstr("rank 0"));
}

TEST(Join, EndsWhenTheTokenItsOwnFollowsIsFired) {
  AbortToken parent;
  AbortToken own;
  own.follow(&parent);
  std::thread firing([&] { parent.fire(); });
  JoinOptions options = options_of(new_id(), 0, 2);
  options.abort = &own;
  EXPECT_EQ(failed_joins({options})[0].code(), Code::kAborted);
  firing.join();
  own.follow(nullptr);
  EXPECT_FALSE(own.fired());
}

TEST(Fail, ReachesEveryOtherRankOnce) {
  constexpr int kRanks = 33;
  std::vector<ErrorBox> boxes(kRanks);
  auto groups = join_all(new_id(), kRanks, [&](JoinOptions& options) {
    options.on_error = boxes[static_cast<std::size_t>(options.rank)].hook();
  });
  ASSERT_FALSE(groups.empty());
  groups[30]->fail(Status(Code::kInternal, "the lights went out"));
  groups[30]->fail(Status(Code::kInternal, "a second reason"));
  for (std::size_t rank = 0; rank < kRanks; ++rank) {
    if (rank == 30) continue;
    const Status status = boxes[rank].wait();
    EXPECT_EQ(status.code(), Code::kRemote);
    EXPECT_THAT(status.message(), AllOf(HasSubstr("rank 30"), HasSubstr("the lights went out")));
  }
}

TEST(Fail, EndsGathersThatWait) {
  auto groups = join_all(new_id(), 6);
  ASSERT_FALSE(groups.empty());
  on_threads(6, [&](int rank) {
    if (rank == 5) return groups[5]->fail(Status(Code::kAborted, "by its user"));
    auto all = groups[static_cast<std::size_t>(rank)]->allgather(blob("x"), nullptr, kPatience);
    ASSERT_FALSE(all.ok());
    EXPECT_EQ(all.status().code(), Code::kRemote);
    EXPECT_THAT(all.status().message(), HasSubstr("rank 5 aborted"));
  });
}

TEST(Fail, CallsNobodyWhoHasLeft) {
  auto groups = join_all(new_id(), 3, [](JoinOptions& options) {
    if (options.rank == 1)
      options.on_error = [](const Status&) { ADD_FAILURE() << "called after the group was destroyed"; };
  });
  ASSERT_FALSE(groups.empty());
  groups[1].reset();
  groups[0]->fail(Status(Code::kInternal, "too late for rank 1"));
  ASSERT_FALSE(groups[2]->allgather(blob("x"), nullptr, kPatience).ok());
}

TEST(Gather, TimesOutAndNamesWhoIsMissing) {
  auto groups = join_all(new_id(), 3);
  ASSERT_FALSE(groups.empty());
  auto all = groups[0]->allgather(blob("x"), nullptr, std::chrono::milliseconds(200));
  ASSERT_FALSE(all.ok());
  EXPECT_EQ(all.status().code(), Code::kTimeout);
  EXPECT_THAT(all.status().message(), HasSubstr("ranks 1 and 2 have not entered"));
}

TEST(Gather, EndsWhenAborted) {
  auto groups = join_all(new_id(), 2);
  ASSERT_FALSE(groups.empty());
  AbortToken abort;
  std::thread firing([&] { abort.fire(); });
  auto all = groups[1]->allgather(blob("x"), &abort, kPatience);
  firing.join();
  ASSERT_FALSE(all.ok());
  EXPECT_EQ(all.status().code(), Code::kAborted);
}

}  // namespace
}  // namespace amalgam::bootstrap
