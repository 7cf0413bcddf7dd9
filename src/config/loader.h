#pragma once

// Makes Settings from sources: pure, so that tests can load any combination. settings.h holds the process's one result.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "config/sources.h"

namespace amalgam::config {

struct Loaded {
  Settings settings;
  std::vector<std::string> warnings;
  std::map<std::string, std::string, std::less<>> origins;  // field -> "AMALGAM_LOG from environment"; absent: default
};

Loaded load(const Sources& sources);

std::string dump(const Loaded& loaded);
std::string agreed_text(const Settings& settings);

}  // namespace amalgam::config
