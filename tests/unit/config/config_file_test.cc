#include "config/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>

namespace amalgam::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

TEST(ConfigFile, HasOneSettingALine) {
  const ConfigFile file = parse_config("f", "A=1\nB=two words\n\n# comment\nC=\n");
  EXPECT_THAT(file.values, ElementsAre(Pair("A", "1"), Pair("B", "two words"), Pair("C", "")));
  EXPECT_THAT(file.warnings, IsEmpty());
}

TEST(ConfigFile, TrimsNothingAndSplitsAtTheFirstEqualsSign) {
  const ConfigFile file = parse_config("f", " A = 1 \nB=c=d\n");
  EXPECT_THAT(file.values, ElementsAre(Pair(" A ", " 1 "), Pair("B", "c=d")));
}

TEST(ConfigFile, KeepsTheFirstOfTwoLines) {
  EXPECT_THAT(parse_config("f", "A=1\nA=2").values, ElementsAre(Pair("A", "1")));
}

TEST(ConfigFile, ReadsTheLastLineWithoutNewlineAndLinesFromWindows) {
  EXPECT_THAT(parse_config("f", "A=1\r\nB=2").values, ElementsAre(Pair("A", "1"), Pair("B", "2")));
}

TEST(ConfigFile, ReportsLinesThatAreNoSetting) {
  const ConfigFile file = parse_config("/etc/x.conf", "A=1\njust text\n=5\n");
  EXPECT_THAT(file.values, ElementsAre(Pair("A", "1")));
  EXPECT_THAT(file.warnings, ElementsAre(HasSubstr("/etc/x.conf line 2"), HasSubstr("/etc/x.conf line 3")));
}

TEST(ReadConfig, TakesAMissingFileForAnEmptyOne) {
  const ConfigFile file = read_config("/nonexistent/nccl.conf");
  EXPECT_THAT(file.values, IsEmpty());
  EXPECT_THAT(file.warnings, IsEmpty());
}

TEST(ReadConfig, ReportsWhatIsThereButCannotBeRead) {
  const ConfigFile file = read_config("/proc/self");  // a directory
  EXPECT_THAT(file.values, IsEmpty());
  EXPECT_THAT(file.warnings, ElementsAre(HasSubstr("/proc/self")));
}

TEST(ReadConfig, RefusesAFileWithoutEnd) {
  const ConfigFile file = read_config("/dev/zero");
  EXPECT_THAT(file.warnings, ElementsAre(HasSubstr("larger than")));
}

TEST(ReadConfig, ReadsARealFile) {
  std::string path = testing::TempDir() + "nccl-conf-XXXXXX";
  const int fd = ::mkstemp(path.data());
  ASSERT_GE(fd, 0);
  ::close(fd);
  std::ofstream(path) << "NCCL_DEBUG=INFO\n";
  EXPECT_THAT(read_config(path).values, ElementsAre(Pair("NCCL_DEBUG", "INFO")));
  ::unlink(path.c_str());
}

}  // namespace
}  // namespace amalgam::config
