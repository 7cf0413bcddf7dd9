// A thousand ranks in one rendezvous, all in this process: one service thread does what that of a root, and those of a
// thousand other processes, do in a job. The times are printed, not judged.

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "ranks.h"

namespace amalgam::bootstrap {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr int kRanks = 1024;
constexpr std::size_t kRecordBytes = 700;          // what a communicator's rank tells all others at init
constexpr rlim_t kFds = rlim_t{kRanks} * 4 + 512;  // both ends of each rank's connections to the root and to its parent

bool allow_open_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  limit.rlim_cur = limit.rlim_max;
  return limit.rlim_max >= kFds && setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

// Says how long the steps took.
class Stopwatch {
 public:
  void lap(const char* step) {
    const TimePoint now = Clock::now();
    std::printf("%-28s %6.2f s\n", step, std::chrono::duration<double>(now - last_).count());
    last_ = now;
  }

 private:
  TimePoint last_ = Clock::now();
};

std::string record_of(int rank) { return std::string(kRecordBytes, static_cast<char>('a' + rank % 26)); }

void gather_records(const std::vector<std::unique_ptr<Group>>& groups) {
  on_threads(kRanks, [&](int rank) {
    auto all = groups[static_cast<std::size_t>(rank)]->allgather(blob(record_of(rank)), nullptr, kPatience);
    ASSERT_TRUE(all.ok()) << all.status().message();
    ASSERT_EQ(all->size(), static_cast<std::size_t>(kRanks));
    for (int other = 0; other < kRanks; ++other)
      ASSERT_EQ(text((*all)[static_cast<std::size_t>(other)]), record_of(other)) << "at rank " << rank;
  });
}

std::size_t open_files() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

TEST(Scale, AThousandRanksJoinGatherFailAndLeave) {
  if (!allow_open_files()) GTEST_SKIP() << "needs a hard limit of " << kFds << " open files (ulimit -Hn)";
  const UniqueId id = new_id();  // starts the service
  const std::size_t files = open_files();
  std::vector<ErrorBox> boxes(kRanks);
  Stopwatch watch;
  auto groups = join_all(id, kRanks, [&](JoinOptions& options) {
    options.on_error = boxes[static_cast<std::size_t>(options.rank)].hook();
  });
  ASSERT_FALSE(groups.empty());
  watch.lap("join");
  gather_records(groups);
  watch.lap("allgather");
  constexpr std::size_t kFailing = 777;
  groups[kFailing]->fail(Status(Code::kInternal, "the lights went out"));
  for (std::size_t rank = 0; rank < kRanks; ++rank) {
    if (rank == kFailing) continue;
    ASSERT_THAT(boxes[rank].wait().message(), AllOf(HasSubstr("rank 777"), HasSubstr("the lights went out")));
  }
  watch.lap("error broadcast");
  groups.clear();
  watch.lap("destroy");
  const TimePoint deadline = Clock::now() + kPatience;
  while (open_files() > files && Clock::now() < deadline) std::this_thread::yield();
  EXPECT_LE(open_files(), files);
  watch.lap("all connections closed");
}

}  // namespace
}  // namespace amalgam::bootstrap
