#include "config/nccl_lists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amalgam::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(NcclList, ReadsBareInvertedAndPerFunctionLists) {
  const auto bare = parse_nccl_list("Ring,Tree");
  ASSERT_EQ(bare.size(), 1u);
  EXPECT_THAT(bare[0].tokens, ElementsAre("ring", "tree"));
  const auto inverted = parse_nccl_list("^NVLS,NVLSTree");
  ASSERT_EQ(inverted.size(), 1u);
  EXPECT_TRUE(inverted[0].excludes);
  EXPECT_THAT(inverted[0].tokens, ElementsAre("nvls", "nvlstree"));
  const auto functions = parse_nccl_list("allreduce:tree,ring;broadcast:^pat");
  ASSERT_EQ(functions.size(), 2u);
  EXPECT_EQ(functions[0].function, "allreduce");
  EXPECT_EQ(functions[1].function, "broadcast");
  EXPECT_TRUE(functions[1].excludes);
  EXPECT_THAT(parse_nccl_list(""), IsEmpty());
}

TEST(NcclAlgo, OneFamilyThatExistsHereIsHonoured) {
  EXPECT_EQ(answer_algo("Ring").family, "ring");
  EXPECT_EQ(answer_algo("TREE").family, "tree");
  EXPECT_EQ(answer_algo("ring").warning, "");
}

TEST(NcclAlgo, ExcludingWhatDoesNotExistHereNeedsNoWarning) {
  EXPECT_EQ(answer_algo("^NVLS").warning, "");
  EXPECT_EQ(answer_algo("^NVLS").family, "");
  EXPECT_EQ(answer_algo("allreduce:^nvls,collnetdirect;broadcast:^pat").warning, "");
}

TEST(NcclAlgo, AnythingElseIsAcceptedWithAWarningThatNamesOurs) {
  for (const char* text : {"Ring,Tree", "allreduce:tree", "^ring", "NVLS", "allreduce:ring;broadcast:tree"}) {
    EXPECT_EQ(answer_algo(text).family, "") << text;
    EXPECT_THAT(answer_algo(text).warning, HasSubstr("AMALGAM_FAMILY")) << text;
  }
}

TEST(NcclAlgo, UnknownWordsAreNamed) {
  EXPECT_THAT(answer_algo("ring,star").warning, HasSubstr("'star'"));
  EXPECT_THAT(answer_algo("gossip:ring").warning, HasSubstr("'gossip'"));
  EXPECT_EQ(answer_algo("star").family, "");
}

TEST(NcclProto, HasNoCounterpart) {
  EXPECT_THAT(answer_proto("Simple").warning, HasSubstr("not honoured"));
  EXPECT_THAT(answer_proto("LL256").warning, HasSubstr("'ll256'"));
}

}  // namespace
}  // namespace amalgam::config
