#include "base/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace amalgam {
namespace {

Status fail_if(bool fail) { return fail ? Status(Code::kRemote, "rank 3 is gone") : Status(); }

Status twice(bool first, bool second) {
  AMALGAM_TRY(fail_if(first));
  AMALGAM_TRY(fail_if(second));
  return {};
}

TEST(Status, IsOkByDefault) {
  EXPECT_TRUE(Status().ok());
  EXPECT_EQ(Status().code(), Code::kOk);
  EXPECT_EQ(Status().message(), "");
}

TEST(Status, KeepsCodeAndMessage) {
  const Status status(Code::kTimeout, "no answer in 10 s");
  EXPECT_FALSE(status);
  EXPECT_EQ(status.code(), Code::kTimeout);
  EXPECT_EQ(status.message(), "no answer in 10 s");
}

TEST(Status, OfErrnoNamesWhatWhyAndTheNumber) {
  const Status status = system_error("open /nowhere", ENOENT);
  EXPECT_EQ(status.code(), Code::kSystem);
  EXPECT_EQ(status.message(), "open /nowhere: No such file or directory (errno 2)");
}

TEST(Status, TryReturnsTheFirstFailure) {
  EXPECT_TRUE(twice(false, false).ok());
  EXPECT_EQ(twice(true, false).message(), "rank 3 is gone");
  EXPECT_EQ(twice(false, true).code(), Code::kRemote);
}

TEST(Status, EveryCodeHasItsOwnName) {
  std::vector<std::string> names;
  for (int code = 0; code <= static_cast<int>(Code::kAborted); ++code)
    names.emplace_back(to_string(static_cast<Code>(code)));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  EXPECT_THAT(names, testing::Not(testing::Contains("unknown")));
}

TEST(Result, HoldsAValue) {
  Result<int> result = 7;
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(*result, 7);
}

TEST(Result, HoldsAnError) {
  const Result<int> result = Status(Code::kInternal, "broken");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().message(), "broken");
}

TEST(Result, GivesUpAMoveOnlyValue) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(5);
  const std::unique_ptr<int> value = result.take();
  ASSERT_NE(value, nullptr);
  EXPECT_EQ(*value, 5);
}

}  // namespace
}  // namespace amalgam
