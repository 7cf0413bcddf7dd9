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

// Runs `body` on `ranks` threads between init and destroy.
inline void run_ranks(int ranks, const std::function<void(const Rank&)>& body) {
  ncclUniqueId id;
  NCCL_OK(ncclGetUniqueId(&id));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      Rank self{rank, ranks, nullptr};
      NCCL_OK(ncclCommInitRank(&self.comm, ranks, id, rank));
      body(self);
      NCCL_OK(ncclCommDestroy(self.comm));
    });
  }
  for (std::thread& thread : threads) thread.join();
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
