#pragma once

// Starting a thread of the library: detached, all signals blocked, so that the program's handlers never run on it.

#include "base/status.h"

namespace amalgam::bootstrap {

Status start_thread(void* (*main)(void*), void* argument, const char* name);

}  // namespace amalgam::bootstrap
