#pragma once

// The settings of settings.inc as rows that code can walk: for the loader, the dump and the generated documents.

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "config/settings.h"
#include "config/value_parser.h"

namespace amalgam::config {

using Member = std::variant<bool Settings::*, std::int64_t Settings::*, std::string Settings::*>;

struct Row {
  std::string_view field;  // "slot_bytes"
  Kind kind;
  std::string_view default_text;  // as written in the table, without quotes
  Range range;                    // of numbers
  bool agreed;
  std::string_view help;
  Member member;
  std::string_view choices;  // of Text, separated by '|'; empty: any text
};

std::span<const Row> table();

// Stores `text` in the row's member. On error the member keeps its value; the message says what is allowed.
Status assign(Settings& settings, const Row& row, std::string_view text);
std::string value_text(const Settings& settings, const Row& row);

}  // namespace amalgam::config
