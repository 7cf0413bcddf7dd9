#include "config/value_parser.h"

#include <gtest/gtest.h>

#include <limits>

namespace amalgam::config {
namespace {

constexpr Range kAny = {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};

struct Case {
  Kind kind;
  const char* text;
  std::int64_t value;
};

TEST(ParseNumber, UnderstandsWhatIsDocumented) {
  const Case cases[] = {
      {Kind::kInteger, "0", 0},
      {Kind::kInteger, "42", 42},
      {Kind::kInteger, "-7", -7},
      {Kind::kInteger, "0x10", 16},
      {Kind::kInteger, "0X1f", 31},
      {Kind::kInteger, "010", 8},
      {Kind::kSize, "512", 512},
      {Kind::kSize, "4K", 4096},
      {Kind::kSize, "4k", 4096},
      {Kind::kSize, "2M", 2097152},
      {Kind::kSize, "1G", 1073741824},
      {Kind::kDuration, "250", 250},
      {Kind::kDuration, "250ms", 250},
      {Kind::kDuration, "10s", 10000},
      {Kind::kDuration, "2m", 120000},
      {Kind::kInteger, "9223372036854775807", std::numeric_limits<std::int64_t>::max()},
  };
  for (const Case& c : cases) {
    const Result<std::int64_t> value = parse_number(c.kind, c.text, kAny);
    ASSERT_TRUE(value.ok()) << c.text;
    EXPECT_EQ(*value, c.value) << c.text;
  }
}

TEST(ParseNumber, RefusesWhatIsNotANumberOfItsKind) {
  const Case cases[] = {
      {Kind::kInteger, "", 0},     {Kind::kInteger, "yes", 0}, {Kind::kInteger, "12 ", 0}, {Kind::kInteger, " 12", 0},
      {Kind::kInteger, "1.5", 0},  {Kind::kInteger, "4K", 0},  {Kind::kInteger, "--4", 0}, {Kind::kInteger, "0x", 0},
      {Kind::kInteger, "09", 0},   {Kind::kInteger, "+4", 0},  {Kind::kSize, "4KB", 0},    {Kind::kSize, "K", 0},
      {Kind::kSize, "4s", 0},      {Kind::kDuration, "4K", 0}, {Kind::kDuration, "1h", 0}, {Kind::kDuration, "s", 0},
      {Kind::kInteger, "0x-1", 0},
  };
  for (const Case& c : cases) EXPECT_FALSE(parse_number(c.kind, c.text, kAny).ok()) << "'" << c.text << "'";
}

TEST(ParseNumber, KeepsToItsRangeAndNeverOverflows) {
  EXPECT_TRUE(parse_number(Kind::kInteger, "2", {2, 64}).ok());
  EXPECT_TRUE(parse_number(Kind::kInteger, "64", {2, 64}).ok());
  EXPECT_FALSE(parse_number(Kind::kInteger, "1", {2, 64}).ok());
  EXPECT_FALSE(parse_number(Kind::kInteger, "65", {2, 64}).ok());
  EXPECT_FALSE(parse_number(Kind::kInteger, "9223372036854775808", kAny).ok());
  EXPECT_FALSE(parse_number(Kind::kSize, "9223372036854775807G", kAny).ok());
  EXPECT_FALSE(parse_number(Kind::kDuration, "9223372036854775m", kAny).ok());
}

TEST(ParseFlag, UnderstandsTheUsualWords) {
  for (const char* text : {"1", "yes", "YES", "true", "On"}) {
    ASSERT_TRUE(parse_flag(text).ok()) << text;
    EXPECT_TRUE(*parse_flag(text)) << text;
  }
  for (const char* text : {"0", "no", "False", "off"}) {
    ASSERT_TRUE(parse_flag(text).ok()) << text;
    EXPECT_FALSE(*parse_flag(text)) << text;
  }
  for (const char* text : {"", "2", "y", "01", "enable"}) EXPECT_FALSE(parse_flag(text).ok()) << text;
}

TEST(DescribeAllowed, NamesTheRange) {
  EXPECT_EQ(describe_allowed(Kind::kInteger, {2, 64}), "an integer from 2 to 64");
  EXPECT_NE(describe_allowed(Kind::kSize, {1, 9}).find("1 to 9 bytes"), std::string::npos);
}

}  // namespace
}  // namespace amalgam::config
