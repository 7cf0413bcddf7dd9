#pragma once

// What the exported functions share.

#include <functional>

#include "tests/vendors/ccl/comm.h"

namespace standin_ccl {

// report.cc
void set_error(const char* text);  // of the calling thread, for ncclGetLastError
ncclResult_t invalid(const char* text);
[[noreturn]] void misuse(const char* call, const char* rule);

bool alive(const ncclComm* comm);

// rendezvous.cc. Empty: an id that this library did not make.
std::string name_of(const ncclUniqueId& id);
std::string child_name(const ncclComm& parent, const std::string& which);
bool hold_setting_address(int* socket);  // NCCL_COMM_ID: where rank 0 listens; true where there is nothing to hold

// life.cc. Joins the communicator that meets under `name`; `out` is set early, so that another thread may abort.
struct Membership {
  int ranks, rank, device;
  std::string name;
  bool blocking;
};
bool read_config(const ncclConfig_t* config, bool* blocking);  // null changes nothing
ncclResult_t enter(ncclComm_t* out, const Membership& membership);
ncclResult_t init(ncclComm_t* out, int ranks, const ncclUniqueId& id, int rank, const ncclConfig_t* config);

// calls.cc. What is called here by its exported name is what the real library calls through its linkage table, so a
// group has an inner name.
void start_group();
ncclResult_t end_group(ncclResult_t failed = ncclSuccess);  // failed: nothing of the group is done
// Now, or when the thread's group ends: then all of the group's at once, each on a thread of its own.
ncclResult_t now_or_in_group(std::function<ncclResult_t()> job);

}  // namespace standin_ccl

// Calls by kind (comm.h), communicators made, ranks refused, aborts. No vendor has this. The same is appended at exit,
// a line for each process, to the file that STANDIN_CCL_REPORT names.
extern "C" __attribute__((visibility("default"))) const standin_ccl::Counters* standin_ccl_counters();
