#pragma once

// How a benchmark ends early: an error that concerns the whole run is thrown as a Failure and caught once, in main or
// in the thread it came up in; either prints "program: rank r: text" and ends the process.

#include <nccl.h>

#include <stdexcept>
#include <string>

namespace perf {

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Throws unless the library took the call; the text is the library's own last error. ncclInProgress is no failure.
void check(ncclResult_t result, const char* call);

}  // namespace perf
