#include "config/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "config/nccl_variables.h"
#include "config/spelling.h"
#include "config/table.h"

namespace amalgam::config {
namespace {

// A secret is compared and used, never shown.
std::string shown(const Settings& settings, const Row& row) {
  std::string value = value_text(settings, row);
  return row.field == "secret" && !value.empty() ? "(hidden)" : value;
}

void load_row(Loaded& loaded, const Row& row, const Sources& sources) {
  const auto found = sources.find_setting(row.field);
  if (!found) return;
  const std::string origin = found->name + " from " + found->where;
  loaded.origins.emplace(row.field, origin);
  if (found->value.empty()) return;
  const Status assigned = assign(loaded.settings, row, found->value);
  if (assigned.ok()) return;
  loaded.warnings.push_back(
      fmt::format("{}={} ({}) is not understood: {} is kept; allowed is {}", found->name, found->value, found->where,
                  row.default_text.empty() ? "the default" : row.default_text, assigned.message()));
}

// What an NCCL variable asks for, unless our own setting was given.
void load_translations(Loaded& loaded, const Sources& sources) {
  NcclAnswers answers = answer_nccl_variables(sources);
  for (const Translation& translation : answers.translations) {
    if (loaded.origins.contains(translation.field)) continue;
    const auto row =
        std::find_if(table().begin(), table().end(), [&](const Row& r) { return r.field == translation.field; });
    if (row != table().end() && assign(loaded.settings, *row, translation.value).ok())
      loaded.origins.emplace(translation.field, translation.origin);
  }
  std::move(answers.warnings.begin(), answers.warnings.end(), std::back_inserter(loaded.warnings));
}

void warn_of_misspelt(Loaded& loaded, const Sources& sources) {
  for (const Found& found : sources.all())
    if (const std::string meant = meant_setting(found.name); !meant.empty())
      loaded.warnings.push_back(fmt::format("{} ({}) is no setting: did you mean {}?", found.name, found.where, meant));
}

}  // namespace

Loaded load(const Sources& sources) {
  Loaded loaded;
  loaded.warnings = sources.warnings();
  for (const Row& row : table()) load_row(loaded, row, sources);
  load_translations(loaded, sources);
  warn_of_misspelt(loaded, sources);
  return loaded;
}

std::string dump(const Loaded& loaded) {
  std::string text;
  for (const Row& row : table()) {
    const auto origin = loaded.origins.find(row.field);
    text += fmt::format("{}={}   # {}\n", variable_of(row.field), shown(loaded.settings, row),
                        origin == loaded.origins.end() ? "default" : origin->second);
  }
  return text;
}

std::string agreed_text(const Settings& settings) {
  std::string text;
  for (const Row& row : table())
    if (row.agreed) text += fmt::format("{}={}\n", row.field, value_text(settings, row));
  return text;
}

}  // namespace amalgam::config
