#pragma once

// What the exported functions share.

#include "tests/vendors/ccl/comm.h"

namespace standin_ccl {

void set_error(const char* text);  // of the calling thread, for ncclGetLastError
ncclResult_t invalid(const char* text);
bool alive(const ncclComm* comm);

}  // namespace standin_ccl

// Calls by kind (comm.h), communicators made, ranks refused, aborts. No vendor has this.
extern "C" __attribute__((visibility("default"))) const standin_ccl::Counters* standin_ccl_counters();
