#include "config/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/table.h"

namespace amalgam::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Loaded load_environment(Variables environment) { return load(Sources(std::move(environment), {})); }

TEST(Load, GivesTheDefaultsWhenNothingIsSet) {
  const Loaded loaded = load_environment({});
  for (const Row& row : table()) EXPECT_EQ(value_text(loaded.settings, row), value_text(Settings(), row));
  EXPECT_THAT(loaded.warnings, IsEmpty());
}

TEST(Load, ReadsEveryKind) {
  const Loaded loaded = load_environment({{"AMALGAM_SLOTS", "16"},
                                          {"AMALGAM_SLOT_BYTES", "64K"},
                                          {"AMALGAM_SILENCE_TIMEOUT", "3s"},
                                          {"AMALGAM_LOG", "debug"}});
  EXPECT_EQ(loaded.settings.slots, 16);
  EXPECT_EQ(loaded.settings.slot_bytes, 65536);
  EXPECT_EQ(loaded.settings.silence_timeout, 3000);
  EXPECT_EQ(loaded.settings.log, "debug");
  EXPECT_THAT(loaded.warnings, IsEmpty());
}

TEST(Load, ABadValueKeepsTheDefaultAndSaysWhatIsAllowed) {
  const Loaded loaded = load_environment({{"NCCL_AMALGAM_SLOTS", "many"}, {"AMALGAM_FAMILY", "star"}});
  EXPECT_EQ(loaded.settings.slots, Settings().slots);
  EXPECT_EQ(loaded.settings.family, "");
  EXPECT_THAT(loaded.warnings,
              testing::UnorderedElementsAre(AllOf(HasSubstr("NCCL_AMALGAM_SLOTS=many"),
                                                  HasSubstr("an integer from 2 to 64"), HasSubstr("8 is kept")),
                                            AllOf(HasSubstr("AMALGAM_FAMILY=star"), HasSubstr("ring|direct"))));
}

TEST(Load, AnEmptyVariableMeansTheDefaultEvenAgainstAFile) {
  const Sources sources({{"AMALGAM_SLOTS", ""}}, {parse_config("f", "AMALGAM_SLOTS=4\n")});
  EXPECT_EQ(load(sources).settings.slots, Settings().slots);
}

TEST(Load, TranslatesNcclsVariablesUnlessOursIsGiven) {
  EXPECT_EQ(load_environment({{"NCCL_DEBUG", "INFO"}}).settings.log, "info");
  EXPECT_EQ(load_environment({{"NCCL_DEBUG", "INFO"}, {"AMALGAM_LOG", "error"}}).settings.log, "error");
  EXPECT_EQ(load_environment({{"NCCL_SOCKET_IFNAME", "^lo"}}).settings.interfaces, "^lo");
}

TEST(Load, SaysWhenAVariableLooksLikeASettingThatIsMisspelt) {
  EXPECT_THAT(load_environment({{"AMALGAM_SLOT", "4"}}).warnings,
              ElementsAre(AllOf(HasSubstr("AMALGAM_SLOT"), HasSubstr("AMALGAM_SLOTS"))));
  EXPECT_THAT(load_environment({{"NCCL_AMALGAM_TRANSPORT", "tcp"}}).warnings,
              ElementsAre(HasSubstr("AMALGAM_TRANSPORTS")));
  EXPECT_THAT(load_environment({{"AMALGAM_TEST_SEED", "4"}, {"AMALGAM_CI", "full"}}).warnings, IsEmpty());
}

TEST(Dump, NamesEverySettingItsValueAndWhereItCameFrom) {
  const std::string text = dump(load_environment({{"AMALGAM_SLOTS", "4"}, {"NCCL_DEBUG", "TRACE"}}));
  EXPECT_THAT(text, HasSubstr("AMALGAM_SLOTS=4   # AMALGAM_SLOTS from environment\n"));
  EXPECT_THAT(text, HasSubstr("AMALGAM_LOG=trace   # NCCL_DEBUG from environment\n"));
  EXPECT_THAT(text, HasSubstr("AMALGAM_SPIN_US=200   # default\n"));
}

TEST(Dump, NeverShowsTheSecret) {
  EXPECT_THAT(dump(load_environment({{"AMALGAM_SECRET", "hunter2"}})),
              AllOf(Not(HasSubstr("hunter2")), HasSubstr("AMALGAM_SECRET=(hidden)")));
}

TEST(AgreedText, HoldsTheAgreedSettingsOnly) {
  const std::string text = agreed_text(load_environment({{"AMALGAM_SLOTS", "4"}, {"AMALGAM_SPIN_US", "7"}}).settings);
  EXPECT_THAT(text, AllOf(HasSubstr("slots=4\n"), Not(HasSubstr("spin_us"))));
}

}  // namespace
}  // namespace amalgam::config
