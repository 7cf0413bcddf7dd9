#pragma once

// What the scenarios of the program `rank` share: one rank of a communicator in a process of its own, which tells the
// test by lines on standard output what happened, and is held by waiting for a line on standard input.
//
// Scenarios  each file of scenarios defines some of the functions below; rank.cc holds the table of their names
// Errors     a scenario returns the process's exit code; what failed was told

#include <nccl.h>

#include <cstddef>
#include <string>

namespace rank_program {

struct Self {
  int rank = 0, ranks = 1;
  ncclUniqueId id{};
  ncclComm_t comm = nullptr;
};

void tell(const std::string& line);
std::string hear();
bool report(const char* what, ncclResult_t result);  // a failure is told with its text; true when it was a success
void report_async(const Self& self);
bool join(Self& self);
std::size_t option(const char* variable, std::size_t otherwise);
std::string text_option(const char* variable);

// One allreduce of `count` floats that depend on rank and round, checked.
bool check_sum(const Self& self, std::size_t count, int round);
int leave(Self& self);  // destroys, tells "end"

// scenarios_work.cc: with a communicator
int until_error(Self& self);         // allreduces until something breaks
int random_until_error(Self& self);  // random collectives likewise, "round K" before each
int idle(Self& self);                // "joined", then one allreduce when told
int sums(Self& self);                // allreduces of growing sizes
int random_calls(Self& self);        // calls against the oracle
int held_back(Self& self);           // the last rank is held before the third allreduce
int mismatch(Self& self);            // rank 1 passes another count than the rest
int shrink_on(Self& self);           // after the last rank died, the others go on

// scenarios_exit.cc: ends of a process
int early_exit(Self& self);              // rank 0 sends, destroys and exits before the others look
int forks(Self& self);                   // a child of fork() is refused and disturbs nobody
int return_without_destroy(Self& self);  // rank 0 just ends; the others do what they hear: "use" or "destroy"
int quick_exit_without_destroy(Self& self);
int exit_while_communicating(Self& self);

// scenarios_abort.cc: another thread aborts what blocks; these make their communicators themselves
int abort_init(Self& self);
int abort_collective(Self& self);
int abort_group(Self& self);
int abort_send(Self& self);
int abort_finalize(Self& self);

// scenarios_rounds.cc: many communicators one after another
int rounds(Self& self);

}  // namespace rank_program
