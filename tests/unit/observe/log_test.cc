#include "observe/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

namespace amalgam::log {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

// Sends the log to a file of its own at the given level.
class Log : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "amalgam-log-XXXXXX";
    ASSERT_NE(::mkdtemp(directory_.data()), nullptr);
    ::setenv("NCCL_CONF_FILE", "/nonexistent", 1);
    path_ = directory_ + "/log";
    start("info", path_);
  }
  void TearDown() override {
    start("warn", "");
    ::unlink(path_.c_str());
    ::rmdir(directory_.c_str());
  }
  static void start(const std::string& level, const std::string& file) {
    ::setenv("AMALGAM_LOG", level.c_str(), 1);
    ::setenv("AMALGAM_LOG_FILE", file.c_str(), 1);
    reload();
  }
  std::string content() const {
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }
  const std::string& path() const { return path_; }

 private:
  std::string directory_;
  std::string path_;
};

TEST_F(Log, LinesHaveHostProcessThreadLevelAndText) {
  info("rank {} of {}", 2, 4);
  EXPECT_THAT(content(), ContainsRegex("^[^:]+:[0-9]+:[0-9]+ amalgam info rank 2 of 4\n$"));
}

TEST_F(Log, LevelsBelowAreNotWritten) {
  debug("not this");
  warn("but this");
  EXPECT_THAT(content(), Not(HasSubstr("not this")));
  EXPECT_THAT(content(), HasSubstr("amalgam warn but this\n"));
  EXPECT_TRUE(enabled(Level::kInfo));
  EXPECT_FALSE(enabled(Level::kDebug));
}

TEST_F(Log, ReloadFollowsTheEnvironment) {
  start("trace", path());
  EXPECT_TRUE(enabled(Level::kTrace));
  start("error", path());
  EXPECT_FALSE(enabled(Level::kWarn));
  ::unsetenv("AMALGAM_LOG");
  ::setenv("NCCL_DEBUG", "INFO", 1);
  reload();
  EXPECT_TRUE(enabled(Level::kInfo));
  EXPECT_FALSE(enabled(Level::kDebug));
  ::unsetenv("NCCL_DEBUG");
}

TEST_F(Log, EveryLineOfATextHasThePrefix) {
  info("one\ntwo");
  EXPECT_THAT(content(), ContainsRegex("amalgam info one\n[^\n]* amalgam info two\n$"));
}

TEST_F(Log, ControlCharactersDoNotReachTheTerminal) {
  info("{}", std::string("a\x1b[2Jb\tc\0d", 10));
  EXPECT_THAT(content(), HasSubstr("a?[2Jb\tc?d\n"));
}

TEST_F(Log, AppendsToWhatIsThere) {
  info("first");
  start("info", path());
  info("second");
  EXPECT_THAT(content(), ContainsRegex("first\n.*second\n"));
}

TEST_F(Log, LinesOfManyThreadsStayWhole) {
  constexpr int kThreads = 4, kLines = 50;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([=] {
      for (int line = 0; line < kLines; ++line) info("<{}>", std::string(200, static_cast<char>('a' + thread)));
    });
  for (std::thread& thread : threads) thread.join();
  std::istringstream lines(content());
  int whole = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t open = line.find('<');
    ASSERT_NE(open, std::string::npos) << line;
    EXPECT_EQ(line.substr(open), "<" + std::string(200, line[open + 1]) + ">");
    ++whole;
  }
  EXPECT_EQ(whole, kThreads * kLines);
}

TEST_F(Log, FallsBackToStandardErrorWhenTheFileCannotBeOpened) {
  testing::internal::CaptureStderr();
  start("info", "/nonexistent/log");
  info("still heard");
  const std::string output = testing::internal::GetCapturedStderr();
  EXPECT_THAT(output, HasSubstr("open log file /nonexistent/log: No such file or directory"));
  EXPECT_THAT(output, HasSubstr("still heard"));
}

TEST_F(Log, NothingGoesToStandardOutput) {
  start("trace", "");
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  write(Level::kTrace, "text");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("amalgam trace text"));
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

TEST_F(Log, ErrorsAndWarningsBecomeTheLastErrorOfTheThread) {
  start("error", path());
  error("rank {} is gone", 3);
  EXPECT_STREQ(last_error(), "rank 3 is gone");
  warn("written or not");
  EXPECT_STREQ(last_error(), "written or not");
  info("unlike this");
  EXPECT_STREQ(last_error(), "written or not");
}

TEST_F(Log, AThreadWithoutErrorSeesTheProcesssLast) {
  set_last_error("of the main thread");
  std::string fresh, own;
  std::thread([&] {
    fresh = last_error();
    set_last_error("of the other thread");
    own = last_error();
  }).join();
  EXPECT_EQ(fresh, "of the main thread");
  EXPECT_EQ(own, "of the other thread");
  EXPECT_STREQ(last_error(), "of the main thread");
}

TEST_F(Log, ALongErrorIsCutNotLost) {
  set_last_error(std::string(10000, 'x'));
  EXPECT_GT(std::string(last_error()).size(), 1000u);
}

// Runs again in a process of its own: the settings are loaded once.
TEST(FirstUse, TellsOnceWhatLoadingTheSettingsHadToSay) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto use_twice = [] {
    ::setenv("NCCL_CONF_FILE", "/nonexistent", 1);
    ::setenv("NCCL_BUFFSIZE", "8388608", 1);
    enabled(Level::kInfo);
    reload();
    ::_exit(std::string(last_error()).empty() ? 0 : 1);
  };
  EXPECT_EXIT(use_twice(), testing::ExitedWithCode(0),
              "^[^\n]* amalgam warn NCCL_BUFFSIZE=8388608: not honoured[^\n]*\n$");
}

}  // namespace
}  // namespace amalgam::log
