#include "config/table.h"

#include <gtest/gtest.h>

#include <set>

namespace amalgam::config {
namespace {

TEST(Table, DefaultsAreAllowedValues) {
  for (const Row& row : table()) {
    Settings settings;
    if (row.kind == Kind::kText && row.default_text.empty()) continue;
    EXPECT_TRUE(assign(settings, row, row.default_text).ok()) << row.field;
    EXPECT_EQ(value_text(settings, row), value_text(Settings(), row)) << row.field;
  }
}

TEST(Table, NamesAreUniqueAndEveryRowIsExplained) {
  std::set<std::string_view> names;
  for (const Row& row : table()) {
    EXPECT_TRUE(names.insert(row.field).second) << row.field;
    EXPECT_GE(row.help.size(), 10u) << row.field;
  }
}

TEST(Table, EachRowWritesItsOwnMember) {
  for (const Row& row : table()) {
    Settings settings;
    const std::string other =
        row.kind == Kind::kText
            ? (row.choices.empty() ? "other" : std::string(row.choices.substr(0, row.choices.find('|'))))
        : row.kind == Kind::kFlag ? (value_text(settings, row) == "1" ? "0" : "1")
                                  : std::to_string(row.range.maximum);
    ASSERT_TRUE(assign(settings, row, other).ok()) << row.field;
    for (const Row& each : table())
      EXPECT_EQ(value_text(settings, each), each.field == row.field ? other : value_text(Settings(), each))
          << row.field << " and " << each.field;
  }
}

TEST(Table, NumbersOutsideTheRangeAreRefusedAndChangeNothing) {
  for (const Row& row : table()) {
    if (row.kind == Kind::kText || row.kind == Kind::kFlag) continue;
    Settings settings;
    EXPECT_FALSE(assign(settings, row, std::to_string(row.range.maximum + 1)).ok()) << row.field;
    EXPECT_FALSE(assign(settings, row, std::to_string(row.range.minimum - 1)).ok()) << row.field;
    EXPECT_EQ(value_text(settings, row), value_text(Settings(), row)) << row.field;
  }
}

}  // namespace
}  // namespace amalgam::config
