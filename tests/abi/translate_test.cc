// Results and their words.

#include <gtest/gtest.h>

#include <climits>
#include <set>
#include <string>

#include "abi/translate.h"

namespace amalgam::abi {
namespace {

TEST(Translate, EveryCodeHasItsResult) {
  constexpr long kVersion = 22809;
  EXPECT_EQ(to_result(Code::kOk, kVersion), ncclSuccess);
  EXPECT_EQ(to_result(Code::kInProgress, kVersion), ncclInProgress);
  EXPECT_EQ(to_result(Code::kInvalidArgument, kVersion), ncclInvalidArgument);
  EXPECT_EQ(to_result(Code::kInvalidUsage, kVersion), ncclInvalidUsage);
  EXPECT_EQ(to_result(Code::kSystem, kVersion), ncclSystemError);
  EXPECT_EQ(to_result(Code::kInternal, kVersion), ncclInternalError);
  EXPECT_EQ(to_result(Code::kRemote, kVersion), ncclRemoteError);
  EXPECT_EQ(to_result(Code::kProtocol, kVersion), ncclRemoteError);
  EXPECT_EQ(to_result(Code::kAborted, kVersion), ncclInvalidUsage);
}

TEST(Translate, TimeoutIsToldOnlyToProgramsThatKnowIt) {
  EXPECT_EQ(to_result(Code::kTimeout, 22809), ncclRemoteError);
  EXPECT_EQ(to_result(Code::kTimeout, 22999), ncclRemoteError);
  EXPECT_EQ(to_result(Code::kTimeout, 23000), ncclTimeout);
}

TEST(Translate, AnUnknownCodeIsAnInternalError) {
  EXPECT_EQ(to_result(static_cast<Code>(99), 22809), ncclInternalError);
}

TEST(Translate, EveryNumberHasWords) {
  std::set<std::string> texts;
  for (int result = 0; result < ncclNumResults; ++result) texts.insert(words_for(result));
  EXPECT_EQ(texts.size(), static_cast<std::size_t>(ncclNumResults));
  for (const int result : {INT_MIN, -1, static_cast<int>(ncclNumResults), 15, 16, 1000, INT_MAX}) {
    ASSERT_NE(words_for(result), nullptr);
    EXPECT_STREQ(words_for(result), "unknown result code");
  }
}

}  // namespace
}  // namespace amalgam::abi
