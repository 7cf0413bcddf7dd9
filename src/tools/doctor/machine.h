#pragma once

// What this machine has of device runtimes and collective libraries, and which of them would be taken.

#include <string>

namespace amalgam::doctor {

std::string this_machines_libraries();

}  // namespace amalgam::doctor
