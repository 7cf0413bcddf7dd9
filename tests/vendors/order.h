#pragma once

// What holds the user's work back, and what shows that the library has gone on as far as it will.

#include <atomic>

#include "tests/vendors/rig.h"

namespace order {

using rig::Buffer;
using rig::Rank;

inline void wait_for(const std::atomic<bool>& flag) {
  while (!flag) std::this_thread::yield();
}

// A stream of a device rank; the null stream on a CPU rank, whose calls take no notice of it.
class OwnStream {
 public:
  explicit OwnStream(const Rank& rank, unsigned flags = 1) {
    if (rank.on_device()) {
      EXPECT_EQ(cudaStreamCreateWithFlags(&stream_, flags), face::kSuccess);
    }
  }
  ~OwnStream() {
    if (stream_ != nullptr) {
      EXPECT_EQ(cudaStreamDestroy(stream_), face::kSuccess);
    }
  }
  OwnStream(const OwnStream&) = delete;
  OwnStream& operator=(const OwnStream&) = delete;
  operator cudaStream_t() const { return stream_; }  // NOLINT: it stands for the stream

 private:
  cudaStream_t stream_ = nullptr;
};

// Keeps streams where they are until it lets them go.
class Hold {
 public:
  Hold() { EXPECT_EQ(cudaHostAlloc(reinterpret_cast<void**>(&flag_), sizeof(*flag_), 0), face::kSuccess); }
  ~Hold() { EXPECT_EQ(cudaFreeHost(flag_), face::kSuccess); }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  void stop(cudaStream_t stream) { ASSERT_EQ(standin_launch_spin(flag_, stream), face::kSuccess); }
  void go() { __atomic_store_n(flag_, 1U, __ATOMIC_RELEASE); }

 private:
  std::uint32_t* flag_ = nullptr;
};

// Another communicator of the same ranks, of which one is a CPU rank. Once a call on it has given that rank its result,
// the engine has gone its rounds: whatever it would do with the calls before that one, it has begun.
class Probe {
 public:
  explicit Probe(const Rank& rank) : rank_(rank), stream_(rank), data_(rank, sizeof(std::int32_t)) {
    EXPECT_EQ(ncclCommSplit(rank.comm, 0, rank.rank, &comm_, nullptr), ncclSuccess) << ncclGetLastError(nullptr);
    const std::int32_t one = 1;
    data_.write(&one, stream_);
  }
  ~Probe() { EXPECT_EQ(ncclCommDestroy(comm_), ncclSuccess); }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  // The device's stream may have to wait longer, where its calls are in one order.
  void pass(std::atomic<int>& passed) {
    const int round = ++rounds_;
    ASSERT_EQ(ncclAllReduce(data_.at(), data_.at(), 1, ncclInt32, ncclMax, comm_, stream_), ncclSuccess);
    if (!rank_.on_device()) passed = round;
    while (passed < round) std::this_thread::yield();
  }

 private:
  const Rank& rank_;
  OwnStream stream_;
  Buffer data_;
  ncclComm_t comm_ = nullptr;
  int rounds_ = 0;
};

// A device comes by markers in the order in which they were enqueued, as far as their streams are free.
inline void pass_markers(cudaStream_t stream) {
  cudaEvent_t event = nullptr;
  ASSERT_EQ(cudaEventCreateWithFlags(&event, 2), face::kSuccess);
  ASSERT_EQ(cudaEventRecord(event, stream), face::kSuccess);
  ASSERT_EQ(cudaEventSynchronize(event), face::kSuccess);
  ASSERT_EQ(cudaEventDestroy(event), face::kSuccess);
}

}  // namespace order
