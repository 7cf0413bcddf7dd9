#include "tools/doctor/machine.h"

#include <fmt/format.h>

#include <cstdlib>
#include <span>

#include "config/settings.h"
#include "plugins/device/tables/tables.h"
#include "plugins/island/loader/find.h"
#include "plugins/island/tables/tables.h"
#include "tools/doctor/look.h"

namespace amalgam::doctor {
namespace {

std::string runtime_of(const cuda_shaped::Table& table) {
  std::string text;
  for (std::span<const char* const> names : {table.runtimes, std::span(&table.driver, table.driver != nullptr ? 1 : 0)})
    for (const loader::Candidate& found : loader::find({"", names, {}, {}}))
      text += fmt::format("  {:<10} {}, {}\n", table.vendor, found.path, found.why);
  return text;
}

// As comm does it in a process that has mapped nothing yet; there what is mapped and what lies beside torch comes
// first.
std::string library_of(const nccl_shaped::Table& table, Looker* looker) {
  std::string text;
  bool chosen = false;
  for (const loader::Candidate& found : loader::find({"", table.sonames, table.torch, table.folders})) {
    const Look& look = looker->at(found.path);
    const bool usable = look.kind == Look::Kind::kVendors;
    text += fmt::format("  {:<10} {}, {}: {}{}\n", table.vendor, found.path, found.why,
                        look.words.empty() ? "not a collective library" : look.words,
                        usable && !chosen ? ", would be chosen" : "");
    chosen |= usable;
  }
  return text;
}

std::string or_none(const std::string& text) { return text.empty() ? "  none\n" : text; }

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

std::string this_machines_libraries() {
  std::string runtimes, libraries;
  Looker looker;
  for (const cuda_shaped::Table* table : tables::all()) runtimes += runtime_of(*table);
  for (const nccl_shaped::Table* table : tables::all_collective_libraries()) libraries += library_of(*table, &looker);
  const std::string preload = variable("LD_PRELOAD");
  const std::string& user = config::settings().vendor_library;
  return "device runtimes, where the dynamic linker finds them\n" + or_none(runtimes) +
         "collective libraries, for a program that has mapped none\n" + or_none(libraries) +
         fmt::format("AMALGAM_VENDOR_LIBRARY {}\nLD_PRELOAD {}\n",
                     user.empty() ? "is not set" : "= " + user + ", and nothing else is looked for",
                     preload.empty() ? "is not set" : "= " + preload);
}

}  // namespace amalgam::doctor
