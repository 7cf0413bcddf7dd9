#pragma once

// A vendor's library reads some variables that are meant for us. NCCL_COMM_ID would make it listen on our rendezvous
// address, NCCL_COMM_BLOCKING would change how its calls return; plug-ins and algorithms of ours it does not know.
//
// The process's environment is not touched: setenv would race with every thread that reads it. Instead the library's
// own references to getenv are bound to a filter that does not see those variables (rebind.h does the binding).
//
// Not covered: what the library's constructors read, what it read before it was opened here, and what reads the
// environment by other means (environ, dlsym, a library that it opens later, such as a plug-in).

#include <span>

#include "plugins/island/loader/rebind.h"

namespace amalgam::loader {

// What its references to the C library's readers of the environment are bound to.
std::span<const Replacement> environment_filter();

}  // namespace amalgam::loader
