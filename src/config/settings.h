#pragma once

// Every setting of the library, read once: configuration file < environment < API.
//
// Rows live in settings.inc; structure, parser, dump and docs/settings.md come from it. Files: NCCL_CONF_FILE, else
// ~/.nccl.conf, then /etc/nccl.conf (KEY=VALUE lines, NCCL's rules). NCCL variables that users already set are honoured
// or answered with one warning that names ours (nccl_variables.h).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace amalgam::config {

using Flag = bool;
using Integer = std::int64_t;
using Size = std::int64_t;
using Duration = std::int64_t;  // milliseconds
using Text = std::string;

struct Settings {
#define AMALGAM_SETTING(field, type, default_value, minimum, maximum, agreed, help) type field = default_value;
#include "config/settings.inc"
#undef AMALGAM_SETTING
};

const Settings& settings();  // loads on first use, thread-safe; the same object for the life of the process
std::string dump();          // "AMALGAM_X=value   # where from" lines
std::string agreed_text();   // the agreed settings as canonical "name=value\n" lines, compared at init

// What loading had to say (bad value: default kept; NCCL variable not honoured). The log tells it before its first
// line.
std::vector<std::string> warnings();

// Looks a variable up as every setting is: environment, then files. Empty when unset. For NCCL_* names that other
// layers honour.
std::string lookup(std::string_view name);

}  // namespace amalgam::config
