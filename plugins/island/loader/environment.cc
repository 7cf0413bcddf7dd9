#include "plugins/island/loader/environment.h"

#include <strings.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string_view>

namespace amalgam::loader {
namespace {

constexpr std::string_view kOurs[] = {"NCCL_COMM_ID", "NCCL_COMM_BLOCKING"};
// The vendor's, unless the value names something of ours: a plug-in, or a plan family that no vendor has.
constexpr std::string_view kPlugIns[] = {"NCCL_NET_PLUGIN", "NCCL_TUNER_PLUGIN", "NCCL_PROFILER_PLUGIN",
                                         "NCCL_ENV_PLUGIN"};
constexpr std::string_view kFamilies[] = {"direct", "doubling", "pairwise", "chain"};

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_family(std::string_view word) {
  return std::any_of(std::begin(kFamilies), std::end(kFamilies), [&](std::string_view family) {
    return word.size() == family.size() && strncasecmp(word.data(), family.data(), word.size()) == 0;
  });
}

// NCCL's lists: "ring,tree", "^ring", "allreduce:tree;broadcast:ring".
bool names_a_family(std::string_view list) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find_first_of(",;:^ "), list.size());
    if (is_family(list.substr(0, end))) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

bool is_hidden(std::string_view name, std::string_view value) {
  if (is_one_of(name, kOurs)) return true;
  if (is_one_of(name, kPlugIns)) return value.find("amalgam") != std::string_view::npos;
  return name == "NCCL_ALGO" && names_a_family(value);
}

char* visible(const char* name, char* value) { return value == nullptr || is_hidden(name, value) ? nullptr : value; }

char* filtered_getenv(const char* name) { return visible(name, ::getenv(name)); }
char* filtered_secure_getenv(const char* name) { return visible(name, ::secure_getenv(name)); }

}  // namespace

std::span<const Replacement> environment_filter() {
  static const Replacement kFilter[] = {
      {"getenv", reinterpret_cast<void*>(&filtered_getenv)},
      {"secure_getenv", reinterpret_cast<void*>(&filtered_secure_getenv)},
      {"__secure_getenv", reinterpret_cast<void*>(&filtered_secure_getenv)},
  };
  return kFilter;
}

}  // namespace amalgam::loader
