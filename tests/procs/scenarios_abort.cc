// Scenarios of a thread that is blocked in a call which another thread ends by ncclCommAbort. Rank 0 blocks; the others
// are held by the test until it has said how long the abort took.

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <thread>
#include <vector>

#include "rank.h"

namespace rank_program {
namespace {

using Clock = std::chrono::steady_clock;

// Waits until the other thread sleeps: then it is inside its call, which holds what an abort would take away under it.
void wait_until_asleep(pid_t thread, const std::atomic<bool>& calling) {
  const std::string path = "/proc/self/task/" + std::to_string(thread) + "/stat";
  for (int asleep = 0, looks = 0; asleep < 5 && looks < 10'000; ++looks) {
    poll(nullptr, 0, 1);
    std::string text;
    std::getline(std::ifstream(path), text);
    const std::size_t state = text.rfind(") ");
    asleep = calling && state != std::string::npos && text[state + 2] == 'S' ? asleep + 1 : 0;
  }
}

// Aborts the communicators while `blocked` sleeps, and tells how long this and the return of `blocked` took.
int abort_while(const std::vector<ncclComm_t*>& communicators, const std::function<ncclResult_t()>& blocked) {
  Clock::time_point began;
  std::atomic<bool> calling{false};
  std::thread aborter([&, caller = gettid()] {
    wait_until_asleep(caller, calling);
    began = Clock::now();
    for (ncclComm_t* comm : communicators)
      report("abort", ncclCommAbort(std::atomic_ref<ncclComm_t>(*comm).load(std::memory_order_acquire)));
  });
  calling = true;
  const ncclResult_t result = blocked();
  aborter.join();
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
  tell("result " + std::to_string(result));
  tell("aborted after " + std::to_string(took.count()) + " ms");
  return 0;
}

// The others live until the test is content.
int wait_for_end(Self& self) {
  hear();
  report("abort", ncclCommAbort(self.comm));
  tell("end");
  return 0;
}

}  // namespace

int abort_init(Self& self) {
  return abort_while({&self.comm}, [&] { return ncclCommInitRank(&self.comm, self.ranks, self.id, self.rank); });
}

int abort_collective(Self& self) {
  if (!check_sum(self, 100, 0)) return 1;
  if (self.rank != 0) return wait_for_end(self);
  std::vector<float> data(option("AMALGAM_TEST_COUNT", 1000));
  return abort_while({&self.comm}, [&] {
    return ncclAllReduce(data.data(), data.data(), data.size(), ncclFloat32, ncclSum, self.comm, nullptr);
  });
}

int abort_group(Self& self) {
  ncclComm_t other = nullptr, third = nullptr;
  if (!report("split", ncclCommSplit(self.comm, 0, self.rank, &other, nullptr))) return 1;
  if (!report("split", ncclCommSplit(self.comm, 0, -self.rank, &third, nullptr))) return 1;
  if (!check_sum(self, 100, 0)) return 1;
  if (self.rank != 0) {
    wait_for_end(self);
    ncclCommAbort(other);
    ncclCommAbort(third);
    return 0;
  }
  std::vector<float> data(3000);
  return abort_while({&self.comm, &other, &third}, [&] {
    ncclGroupStart();
    for (ncclComm_t comm : {self.comm, other, third})
      ncclAllReduce(data.data(), data.data(), data.size(), ncclFloat32, ncclSum, comm, nullptr);
    return ncclGroupEnd();
  });
}

int abort_send(Self& self) {
  if (!check_sum(self, 100, 0)) return 1;
  if (self.rank != 0) return wait_for_end(self);
  std::vector<float> data(16U << 20);  // beyond what lanes hold
  return abort_while({&self.comm},
                     [&] { return ncclSend(data.data(), data.size(), ncclFloat32, 1, self.comm, nullptr); });
}

// What was sent waits in the lane, so finalize waits for its receiver.
int abort_finalize(Self& self) {
  if (!check_sum(self, 100, 0)) return 1;
  if (self.rank != 0) return wait_for_end(self);
  std::vector<float> data(100);
  if (!report("send", ncclSend(data.data(), data.size(), ncclFloat32, 1, self.comm, nullptr))) return 1;
  return abort_while({&self.comm}, [&] { return ncclCommFinalize(self.comm); });
}

}  // namespace rank_program
