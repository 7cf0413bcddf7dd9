#include "config/nccl_variables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "config/table.h"

namespace amalgam::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

NcclAnswers answers_to(const std::string& name, const std::string& value) {
  return answer_nccl_variables(Sources({{name, value}}, {}));
}

std::string translation_of(const std::string& name, const std::string& value) {
  const NcclAnswers answers = answers_to(name, value);
  return answers.translations.size() == 1 ? answers.translations[0].field + "=" + answers.translations[0].value : "";
}

TEST(NcclVariables, AreUniqueAndNameSettingsThatExist) {
  std::set<std::string_view> fields, names;
  for (const Row& row : table()) fields.insert(row.field);
  for (const NcclVariable& variable : nccl_variables()) {
    EXPECT_TRUE(names.insert(variable.name).second) << variable.name;
    EXPECT_TRUE(variable.ours.empty() || fields.contains(variable.ours)) << variable.name;
    EXPECT_TRUE(variable.answer != Answer::kTranslated || !variable.ours.empty()) << variable.name;
    EXPECT_FALSE(variable.note.empty()) << variable.name;
  }
}

TEST(NcclVariables, AreTranslatedIntoOurs) {
  EXPECT_EQ(translation_of("NCCL_DEBUG", "VERSION"), "log=info");
  EXPECT_EQ(translation_of("NCCL_DEBUG", "warn"), "log=warn");
  EXPECT_EQ(translation_of("NCCL_DEBUG", "TRACE"), "log=trace");
  EXPECT_EQ(translation_of("NCCL_DEBUG_FILE", "/tmp/%h.%p"), "log_file=/tmp/%h.%p");
  EXPECT_EQ(translation_of("NCCL_SOCKET_IFNAME", "=eth0"), "interfaces==eth0");
  EXPECT_EQ(translation_of("NCCL_HOSTID", "a"), "host_id=a");
  EXPECT_EQ(translation_of("NCCL_ALGO", "Ring"), "family=ring");
  EXPECT_EQ(translation_of("NCCL_SHM_DISABLE", "1"), "transports=loopback,tcp");
  EXPECT_EQ(translation_of("NCCL_SHM_DISABLE", "0"), "");
  EXPECT_EQ(translation_of("NCCL_NET", "Socket"), "");
}

TEST(NcclVariables, KnownOnesWithoutEffectGetOneWarningThatNamesOurs) {
  EXPECT_THAT(answers_to("NCCL_BUFFSIZE", "8388608").warnings,
              ElementsAre(AllOf(HasSubstr("NCCL_BUFFSIZE=8388608"), HasSubstr("AMALGAM_SLOT_BYTES"))));
  EXPECT_THAT(answers_to("NCCL_NET", "IB").warnings, ElementsAre(HasSubstr("AMALGAM_TRANSPORTS")));
  EXPECT_THAT(answers_to("NCCL_PROTO", "LL").warnings, ElementsAre(HasSubstr("not honoured")));
  EXPECT_THAT(answers_to("NCCL_DEBUG", "LOUD").warnings, ElementsAre(HasSubstr("VERSION, WARN, INFO and TRACE")));
}

TEST(NcclVariables, ThoseOfDevicesUnknownOnesAndEmptyOnesAreSilent) {
  for (const char* name :
       {"NCCL_NVLS_ENABLE", "NCCL_CUMEM_ENABLE", "NCCL_P2P_LEVEL", "NCCL_IB_DISABLE", "NCCL_FROM_THE_FUTURE"}) {
    EXPECT_THAT(answers_to(name, "1").warnings, IsEmpty()) << name;
    EXPECT_THAT(answers_to(name, "1").translations, IsEmpty()) << name;
  }
  EXPECT_THAT(answers_to("NCCL_BUFFSIZE", "").warnings, IsEmpty());
  EXPECT_THAT(answers_to("NCCL_DEBUG", "").translations, IsEmpty());
}

TEST(NcclVariables, InFilesAreAnsweredTooAndSayWhere) {
  const NcclAnswers answers = answer_nccl_variables(Sources({}, {parse_config("/etc/nccl.conf", "NCCL_DEBUG=INFO\n")}));
  ASSERT_EQ(answers.translations.size(), 1u);
  EXPECT_EQ(answers.translations[0].origin, "NCCL_DEBUG from /etc/nccl.conf");
}

}  // namespace
}  // namespace amalgam::config
