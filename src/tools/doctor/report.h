#pragma once

// What the doctor says about the programs that ran: a table, and what to set.

#include <string>
#include <vector>

#include "tools/doctor/trace.h"

namespace amalgam::doctor {

// `ours` is the library's file, for the advice; `preload` the LD_PRELOAD that the command was started with.
std::string report(const std::vector<Image>& images, const std::string& ours, const std::string& preload);

}  // namespace amalgam::doctor
