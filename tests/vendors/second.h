#pragma once

// Devices of a second vendor in the process: AMD's, whose runtime SECOND_RUNTIME names.

#include "tests/vendors/rig.h"

namespace rig {

inline Place amd(int device) {
  static const Runtime hip = runtime_in(::dlopen(setting("SECOND_RUNTIME").c_str(), RTLD_NOW), "hip");
  return {hip, device};
}

}  // namespace rig
