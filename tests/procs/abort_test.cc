// ncclCommAbort from another thread ends whatever blocks. The times are printed; a limit of 10 s only tells life from
// death.

#include <gtest/gtest.h>

#include "support/processes.h"

namespace {

using support::Process;

void expect_aborted(Process& rank, const std::string& result) {
  EXPECT_EQ(rank.line(std::chrono::seconds(30)), "result " + result);
  const std::string took = rank.line(std::chrono::seconds(10));
  EXPECT_EQ(took.rfind("aborted after", 0), 0U) << took;
  std::printf("%s\n", took.c_str());
  EXPECT_EQ(rank.wait(), 0);
}

constexpr const char* kAborted = "5";  // ncclInvalidUsage: this side ended the communicator under the call

class Blocked : public ::testing::TestWithParam<const char*> {
 protected:
  void abort_in(const std::string& scenario) {
    auto ranks = support::start_ranks(2, scenario, support::Variables{std::string("AMALGAM_TRANSPORTS=") + GetParam()});
    expect_aborted(ranks[0], kAborted);
    ranks[1].say("go");
    EXPECT_EQ(ranks[1].wait(), 0);
  }
};

// Over shared memory, where a message waits in the lane; the kernel takes it over TCP.
TEST(Blocked, FinalizeIsEndedByAbort) {
  auto ranks = support::start_ranks(2, "abort_finalize");
  expect_aborted(ranks[0], kAborted);
  ranks[1].say("go");
  EXPECT_EQ(ranks[1].wait(), 0);
}

TEST(Blocked, InitIsEndedByAbort) {
  Process rank = support::start_rank(0, 2, "abort_init");
  rank.expect("id ");
  expect_aborted(rank, kAborted);
}

TEST_P(Blocked, CollectiveIsEndedByAbort) { abort_in("abort_collective"); }
TEST_P(Blocked, GroupOfSeveralCommunicatorsIsEndedByAbort) { abort_in("abort_group"); }
TEST_P(Blocked, SendIsEndedByAbort) { abort_in("abort_send"); }

INSTANTIATE_TEST_SUITE_P(By, Blocked, ::testing::Values("shm,tcp", "tcp"));

}  // namespace
