#include "config/table.h"

#include <fmt/format.h>

#include <array>

namespace amalgam::config {
namespace {

// Names used by the macro below; each type name of settings.inc has its kind.
namespace kinds {
constexpr Kind Flag = Kind::kFlag;
constexpr Kind Integer = Kind::kInteger;
constexpr Kind Size = Kind::kSize;
constexpr Kind Duration = Kind::kDuration;
constexpr Kind Text = Kind::kText;
}  // namespace kinds

constexpr std::int64_t number(std::string_view digits) {
  std::int64_t value = 0;
  for (char c : digits) value = 10 * value + (c - '0');
  return value;
}

constexpr std::string_view unquoted(std::string_view text) {
  return text.size() >= 2 && text.front() == '"' ? text.substr(1, text.size() - 2) : text;
}

constexpr std::string_view choices_of(std::string_view field) {
  if (field == "log") return "error|warn|info|debug|trace";
  if (field == "device") return "host";
  if (field == "family") return "ring|direct|tree|doubling|pairwise|chain";
  return "";
}

constexpr auto kRows = std::to_array<Row>({
#define AMALGAM_SETTING(field, type, default_value, minimum, maximum, agreed, help) \
  Row{#field,                                                                       \
      kinds::type,                                                                  \
      unquoted(#default_value),                                                     \
      Range{number(#minimum), number(#maximum)},                                    \
      std::string_view(#agreed) == "yes",                                           \
      help,                                                                         \
      Member(&Settings::field),                                                     \
      choices_of(#field)},
#include "config/settings.inc"
#undef AMALGAM_SETTING
});

bool is_choice(std::string_view choices, std::string_view text) {
  while (!choices.empty()) {
    const std::size_t bar = choices.find('|');
    if (choices.substr(0, bar) == text) return true;
    choices.remove_prefix(bar == std::string_view::npos ? choices.size() : bar + 1);
  }
  return false;
}

Status not_allowed(std::string allowed) { return Status(Code::kInvalidArgument, std::move(allowed)); }

Status assign_text(std::string& target, const Row& row, std::string_view text) {
  if (!row.choices.empty() && !is_choice(row.choices, text)) return not_allowed(fmt::format("one of {}", row.choices));
  target = text;
  return {};
}

}  // namespace

std::span<const Row> table() { return kRows; }

Status assign(Settings& settings, const Row& row, std::string_view text) {
  if (auto member = std::get_if<std::string Settings::*>(&row.member))
    return assign_text(settings.*(*member), row, text);
  if (auto member = std::get_if<bool Settings::*>(&row.member)) {
    const Result<bool> flag = parse_flag(text);
    if (!flag.ok()) return not_allowed(describe_allowed(row.kind, row.range));
    settings.*(*member) = *flag;
    return {};
  }
  const Result<std::int64_t> value = parse_number(row.kind, text, row.range);
  if (!value.ok()) return not_allowed(describe_allowed(row.kind, row.range));
  settings.*std::get<std::int64_t Settings::*>(row.member) = *value;
  return {};
}

std::string value_text(const Settings& settings, const Row& row) {
  if (auto member = std::get_if<std::string Settings::*>(&row.member)) return settings.*(*member);
  if (auto member = std::get_if<bool Settings::*>(&row.member)) return settings.*(*member) ? "1" : "0";
  return std::to_string(settings.*std::get<std::int64_t Settings::*>(row.member));
}

}  // namespace amalgam::config
