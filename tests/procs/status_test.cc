// What a person learns of ranks that wait for each other, from `amalgam status PID` and from the log of survivors.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/processes.h"

namespace {

using support::Process;
using support::Variables;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

std::string status_of(pid_t pid) {
  const char* tool = std::getenv("AMALGAM_TEST_TOOL");  // set by the build
  if (tool == nullptr) return "AMALGAM_TEST_TOOL is not set";
  Process process({tool, "status", std::to_string(pid)}, {});
  std::string text;
  for (std::string line = process.line(); !line.empty(); line = process.line()) text += line + "\n";
  EXPECT_EQ(process.wait(), 0);
  return text;
}

class Log {
 public:
  Log() : path_(std::filesystem::temp_directory_path() / ("amalgam-log-" + std::to_string(getpid()))) {}
  ~Log() { std::filesystem::remove(path_); }
  std::string variable() const { return "AMALGAM_LOG_FILE=" + path_.string(); }
  std::string text() const {
    std::stringstream all;
    all << std::ifstream(path_).rdbuf();
    return all.str();
  }

 private:
  std::filesystem::path path_;
};

TEST(Status, NamesTheRankThatHasNotEnteredAnOperation) {
  auto ranks = support::start_ranks(3, "held_back");
  for (Process& rank : ranks) rank.expect("entering");
  std::string text;
  for (int look = 0; look < 100 && text.find("running") == std::string::npos; ++look) text = status_of(ranks[0].pid());
  EXPECT_THAT(text, HasSubstr("rank 2 has not entered allreduce #3"));
  EXPECT_THAT(status_of(ranks[2].pid()), HasSubstr("rank 2 has not entered allreduce #3")) << "from any rank";
  ranks[2].say("go");
  for (Process& rank : ranks) EXPECT_EQ(rank.wait(), 0);
}

TEST(Status, OfAProcessWithoutTheLibraryIsAnError) {
  const char* tool = std::getenv("AMALGAM_TEST_TOOL");
  ASSERT_NE(tool, nullptr);
  Process process({tool, "status", "1"}, {});
  EXPECT_NE(process.wait(), 0);
}

TEST(Log, OfSurvivorsHasTheMergedFlightRecord) {
  const Log log;
  auto ranks = support::start_ranks(4, "held_back", Variables{log.variable()});
  for (Process& rank : ranks) rank.expect("entering");
  for (int look = 0; look < 100 && status_of(ranks[0].pid()).find("ranks 0-2: last allreduce #3") == std::string::npos;)
    ++look;
  ranks[1].signal(SIGKILL);  // while the last rank is held
  for (int r : {0, 2}) EXPECT_EQ(ranks[r].wait(), 0);
  EXPECT_THAT(log.text(), HasSubstr("rank 3 has not entered allreduce #3"));
  EXPECT_THAT(log.text(), ContainsRegex("ranks? 1[^\n]*: no answer"));
  ranks[3].say("go");
  EXPECT_EQ(ranks[3].wait(), 0);
}

}  // namespace
