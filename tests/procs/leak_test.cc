// Processes that make and end many communicators hold in the end what they held in the beginning.
//
// AMALGAM_TEST_CASES sets how many rounds are counted.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <sstream>
#include <thread>

#include "support/harness.h"
#include "support/processes.h"
#include "support/usage.h"

namespace {

using support::Process;
using support::Usage;

constexpr std::chrono::seconds kPatience{300};
constexpr long kResidentKib = 4096;  // pages that malloc's arenas spread over

// A sanitizer keeps freed memory aside and counts leaks itself, so pages and mappings say nothing there.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMemoryTells = false;
#else
constexpr bool kMemoryTells = true;
#endif

// Sanitized code is slow.
int rounds(int usual) {
  const char* text = std::getenv("AMALGAM_TEST_CASES");
  return text != nullptr ? std::atoi(text) : kMemoryTells ? usual : usual / 10;
}

void expect_no_growth(const Usage& before, const Usage& after, int rounds) {
  EXPECT_LE(after.files, before.files);
  EXPECT_LE(after.threads, before.threads);
  if (kMemoryTells) {
    EXPECT_LE(after.mappings, before.mappings + 2);  // an arena of malloc may be cut in two
    EXPECT_LE(after.resident_kib, before.resident_kib + kResidentKib);
  }
  EXPECT_LT(after.shared_files, before.shared_files + rounds / 2);  // others may use the folder meanwhile
  std::printf("before %s, after %s (files, threads, mappings, KiB, /dev/shm)\n", support::text(before).c_str(),
              support::text(after).c_str());
}

struct Case {
  const char* name;
  const char* kind;
  const char* transports;
  int ranks;
  int rounds;
};

class Rounds : public ::testing::TestWithParam<Case> {};

TEST_P(Rounds, LeaveNothingBehind) {
  const Case& c = GetParam();
  const int counted = rounds(c.rounds);
  const std::vector<std::string> environment = {"AMALGAM_TEST_ROUNDS=" + std::to_string(counted),
                                                std::string("AMALGAM_TEST_KIND=") + c.kind,
                                                std::string("AMALGAM_TRANSPORTS=") + c.transports,
                                                "AMALGAM_LOG_FILE=/dev/null"};  // each abort is an error to the others
  auto ranks = support::start_ranks(c.ranks, "rounds", environment);
  for (Process& rank : ranks) {
    std::istringstream line(rank.expect("usage ", kPatience));
    std::string word;
    Usage before, after;
    line >> word;
    for (Usage* usage : {&before, &after})
      line >> usage->files >> usage->threads >> usage->mappings >> usage->resident_kib >> usage->shared_files;
    EXPECT_TRUE(line) << line.str();
    expect_no_growth(before, after, counted);
  }
  for (Process& rank : ranks) EXPECT_EQ(rank.wait(), 0);
}

INSTANTIATE_TEST_SUITE_P(Of, Rounds,
                         ::testing::Values(Case{"DestroyOverShm", "destroy", "shm,tcp", 3, 1000},
                                           Case{"DestroyOverTcp", "destroy", "tcp", 2, 1000},
                                           Case{"AbortOverShm", "abort", "shm,tcp", 2, 300},
                                           Case{"AbortOverTcp", "abort", "tcp", 2, 300},
                                           Case{"SplitOverShm", "split", "shm,tcp", 2, 300},
                                           Case{"MemoryOverShm", "memory", "shm,tcp", 2, 300}),
                         [](const auto& tested) { return tested.param.name; });

TEST(RoundsOfThreads, LeaveNothingBehind) {
  const auto round = [] {
    support::run_ranks(3, [](const support::Rank& self) {
      support::Case c;
      c.ranks = self.ranks;
      c.count = 20'000;
      support::run_case(self, c);
    });
  };
  for (int i = 0; i < 20; ++i) round();
  const Usage before = support::settled_usage();
  const int counted = rounds(100);
  for (int i = 0; i < counted && !HasFailure(); ++i) round();
  expect_no_growth(before, support::settled_usage(), counted);
}

}  // namespace
