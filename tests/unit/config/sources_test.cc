#include "config/sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amalgam::config {
namespace {

using testing::ElementsAre;

Sources two_files(Variables environment) {
  return Sources(std::move(environment), {parse_config("home", "A=home\nAMALGAM_SLOTS=3\n"),
                                          parse_config("etc", "A=etc\nB=etc\nNCCL_AMALGAM_SLOTS=4\n")});
}

TEST(Sources, EnvironmentComesBeforeFilesAndHomeBeforeEtc) {
  EXPECT_EQ(two_files({{"A", "env"}}).find("A")->value, "env");
  EXPECT_EQ(two_files({}).find("A")->value, "home");
  EXPECT_EQ(two_files({}).find("B")->value, "etc");
  EXPECT_EQ(two_files({}).find("B")->where, "etc");
  EXPECT_FALSE(two_files({}).find("C"));
}

TEST(Sources, AnEmptyVariableHidesTheFiles) {
  const auto found = two_files({{"A", ""}}).find("A");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->value, "");
}

TEST(Sources, ASettingHasTwoNamesAndTheShortOneWins) {
  EXPECT_EQ(two_files({{"AMALGAM_SLOTS", "1"}, {"NCCL_AMALGAM_SLOTS", "2"}}).find_setting("slots")->value, "1");
  EXPECT_EQ(two_files({{"NCCL_AMALGAM_SLOTS", "2"}}).find_setting("slots")->value, "2");
}

TEST(Sources, TheLongNameInTheEnvironmentWinsOverTheShortOneInAFile) {
  EXPECT_EQ(two_files({{"NCCL_AMALGAM_SLOTS", "2"}}).find_setting("slots")->where, "environment");
  EXPECT_EQ(two_files({}).find_setting("slots")->value, "3");
}

TEST(Sources, ListsEachNameOnceAsItIsFound) {
  std::vector<std::string> lines;
  for (const Found& found : two_files({{"A", "env"}}).all()) lines.push_back(found.name + "=" + found.value);
  EXPECT_THAT(lines, ElementsAre("A=env", "AMALGAM_SLOTS=3", "B=etc", "NCCL_AMALGAM_SLOTS=4"));
}

TEST(ConfigPaths, TheVariableReplacesTheFileInHomeOnly) {
  EXPECT_THAT(config_paths("", "/home/u"), ElementsAre("/home/u/.nccl.conf", "/etc/nccl.conf"));
  EXPECT_THAT(config_paths("/job/nccl.conf", "/home/u"), ElementsAre("/job/nccl.conf", "/etc/nccl.conf"));
  EXPECT_THAT(config_paths("", ""), ElementsAre("/etc/nccl.conf"));
}

TEST(VariableOf, IsUpperCase) { EXPECT_EQ(variable_of("slot_bytes"), "AMALGAM_SLOT_BYTES"); }

}  // namespace
}  // namespace amalgam::config
