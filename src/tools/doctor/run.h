#pragma once

// Runs a command so that the dynamic linker writes down what it does, in the command and all that it starts.
//
// No rights are needed and nothing is stopped or slowed but by the writing. Not seen: statically linked programs, those
// that change their user or group at start, and what runs with an emptied environment.

#include <string>
#include <vector>

#include "base/status.h"
#include "tools/doctor/trace.h"

namespace amalgam::doctor {

struct Traced {
  int exit_code = 0;  // the command's, or 128 + the signal that ended it
  std::vector<Image> images;
};

// Waits for the command, not for what it leaves behind. Meanwhile the keyboard's signals are the command's.
Result<Traced> run_traced(const std::vector<std::string>& command);

}  // namespace amalgam::doctor
