// Scenarios of processes that end, or fork, in unusual ways.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>
#include <vector>

#include "rank.h"

namespace rank_program {
namespace {

// What the ranks do that outlive rank 0: destroy without looking, or use the communicator until its error comes.
int outlive(Self& self) {
  if (hear() == "destroy") return leave(self);
  for (int round = 2; check_sum(self, 1000, round); ++round) continue;
  report_async(self);
  report("abort", ncclCommAbort(self.comm));
  tell("end");
  return 0;
}

}  // namespace

int early_exit(Self& self) {
  std::vector<int> data(1000, self.rank == 0 ? 42 : 0);
  if (self.rank != 0) hear();
  if (!report("broadcast", ncclBroadcast(data.data(), data.data(), data.size(), ncclInt32, 0, self.comm, nullptr)))
    return 1;
  for (int value : data)
    if (value != 42) return 2;
  if (self.rank == 0) tell("sent");
  return leave(self);
}

int forks(Self& self) {
  const pid_t child = fork();
  if (child == 0) {
    float value = 0;
    _exit(ncclAllReduce(&value, &value, 1, ncclFloat32, ncclSum, self.comm, nullptr) == ncclSuccess ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  tell("child " + std::to_string(WEXITSTATUS(status)));
  return sums(self);
}

int return_without_destroy(Self& self) {
  if (!check_sum(self, 1000, 0)) return 1;
  tell("worked");
  if (self.rank != 0) return outlive(self);
  hear();
  return 0;
}

int quick_exit_without_destroy(Self& self) {
  if (!check_sum(self, 1000, 0)) return 1;
  tell("worked");
  if (self.rank != 0) return outlive(self);
  hear();
  _exit(0);
}

// Rank 0's main thread exits while another of its threads is in the middle of allreduces.
int exit_while_communicating(Self& self) {
  if (self.rank != 0) return until_error(self);
  if (!check_sum(self, 100'000, 0)) return 1;
  std::thread worker([&self] {
    for (int round = 1;; ++round)
      if (!check_sum(self, 1 + static_cast<std::size_t>(round * 977 % 300'000), round)) return;
  });
  worker.detach();
  tell("started");
  hear();
  std::exit(0);
}

}  // namespace rank_program
