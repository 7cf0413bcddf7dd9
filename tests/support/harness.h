#pragma once

// N ranks as threads of the test, each with its own communicator over the library under test.

#include <gtest/gtest.h>
#include <nccl.h>

#include <functional>
#include <thread>
#include <vector>

#include "support/oracle.h"

#define NCCL_OK(call)                                                                       \
  do {                                                                                      \
    const ncclResult_t result_ = (call);                                                    \
    ASSERT_EQ(result_, ncclSuccess) << #call << ": " << ncclGetErrorString(result_) << ": " \
                                    << ncclGetLastError(nullptr);                           \
  } while (false)

namespace support {

struct Rank {
  int rank = 0;
  int ranks = 1;
  ncclComm_t comm = nullptr;
};

// Waits until nothing is in progress: the asynchronous error, or that of asking for it.
inline ncclResult_t settle(ncclComm_t comm) {
  ncclResult_t state = ncclInProgress;
  while (state == ncclInProgress) {
    if (const ncclResult_t asked = ncclCommGetAsyncError(comm, &state); asked != ncclSuccess) return asked;
    std::this_thread::yield();
  }
  return state;
}

// Runs `init`, then `body` and destroy, on `ranks` threads.
inline void run_ranks_with(int ranks, const std::function<void(Rank*, const ncclUniqueId&)>& init,
                           const std::function<void(const Rank&)>& body) {
  ncclUniqueId id;
  NCCL_OK(ncclGetUniqueId(&id));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      Rank self{rank, ranks, nullptr};
      ASSERT_NO_FATAL_FAILURE(init(&self, id));
      body(self);
      NCCL_OK(ncclCommDestroy(self.comm));
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Runs `body` on `ranks` threads between init and destroy.
inline void run_ranks(int ranks, const std::function<void(const Rank&)>& body) {
  const auto init = [](Rank* self, const ncclUniqueId& id) {
    NCCL_OK(ncclCommInitRank(&self->comm, self->ranks, id, self->rank));
  };
  run_ranks_with(ranks, init, body);
}

// The same with non-blocking communicators, which are ready when `body` starts.
inline void run_nonblocking_ranks(int ranks, const std::function<void(const Rank&)>& body) {
  const auto init = [](Rank* self, const ncclUniqueId& id) {
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    const ncclResult_t started = ncclCommInitRankConfig(&self->comm, self->ranks, id, self->rank, &config);
    ASSERT_TRUE(started == ncclInProgress || started == ncclSuccess);
    ASSERT_EQ(settle(self->comm), ncclSuccess);
  };
  run_ranks_with(ranks, init, body);
}

// One rank's buffers for a case, filled with its inputs; receive buffers are full of a pattern that must survive where
// nothing is received.
struct Buffers {
  Buffers(const Case& c, int rank, std::size_t misalign = 0);

  Case what;
  int rank;
  std::vector<unsigned char> send_memory, receive_memory;
  unsigned char* send = nullptr;
  unsigned char* receive = nullptr;

  ::testing::AssertionResult check() const;
};

ncclResult_t issue(const Case& c, const Buffers& buffers, ncclRedOp_t op, ncclComm_t comm);

// Makes the operation (and premulsum's handle), runs the case, checks it.
void run_case(const Rank& self, const Case& c, std::size_t misalign = 0);

}  // namespace support
