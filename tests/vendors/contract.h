#pragma once

// What the tests of the stand-in's contract share. The contract is what was measured on a GPU. That something is
// blocked is shown by order: later work on another stream is complete, or a caller is counted as blocked, and then the
// blocked work is still not done.

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "tests/vendors/nvidia/face.h"

namespace contract {

inline constexpr std::size_t kCount = 1024;
inline constexpr std::size_t kBytes = kCount * sizeof(uint32_t);
inline constexpr int kSuccess = face::kSuccess;

inline bool one_channel() {
  const char* text = std::getenv("CUDA_DEVICE_MAX_CONNECTIONS");
  return text != nullptr && std::strcmp(text, "1") == 0;
}

inline CUdeviceptr address(const void* pointer) { return reinterpret_cast<CUdeviceptr>(pointer); }

// Device memory, pinned memory and flags, and a kernel that is loaded, so that only the rule under test blocks.
class Contract : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(cudaMalloc(reinterpret_cast<void**>(&device_), kBytes), kSuccess);
    ASSERT_EQ(cudaHostAlloc(reinterpret_cast<void**>(&host_), kBytes, 0), kSuccess);
    ASSERT_EQ(cudaHostAlloc(reinterpret_cast<void**>(&flags_), 4096, 0), kSuccess);
    ASSERT_EQ(standin_launch_fill32(device_, 7, kCount, nullptr), kSuccess);
    ASSERT_EQ(cudaDeviceSynchronize(), kSuccess);
  }
  void TearDown() override {
    for (cudaStream_t stream : made_) ASSERT_EQ(cudaStreamDestroy(stream), kSuccess);
    ASSERT_EQ(cudaFree(device_), kSuccess);
    ASSERT_EQ(cudaFreeHost(host_), kSuccess);
    ASSERT_EQ(cudaFreeHost(flags_), kSuccess);
  }
  cudaStream_t stream(unsigned flags = 1) {
    cudaStream_t made = nullptr;
    EXPECT_EQ(cudaStreamCreateWithFlags(&made, flags), kSuccess);
    made_.push_back(made);
    return made;
  }
  void park(cudaStream_t on) { ASSERT_EQ(cuStreamWaitValue64_v2(on, address(&flags_[0]), 1, 0), kSuccess); }
  void release() { __atomic_store_n(&flags_[0], 1, __ATOMIC_RELEASE); }
  // A copy to the host with a flag behind it, done when this returns.
  void copy_and_see_flag(cudaStream_t on) {
    ASSERT_EQ(cudaMemcpyAsync(host_, device_, kBytes, 2, on), kSuccess);
    ASSERT_EQ(cuStreamWriteValue64_v2(on, address(&flags_[1]), 5, 0), kSuccess);
    while (__atomic_load_n(&flags_[1], __ATOMIC_ACQUIRE) != 5) std::this_thread::yield();
  }

  // By order: whoever is counted is inside a call and cannot have come back from it.
  static void see_blocked(int callers) {
    while (standin_waiters() != callers) std::this_thread::yield();
  }
  static cudaEvent_t event(unsigned flags = 2) {
    cudaEvent_t made = nullptr;
    EXPECT_EQ(cudaEventCreateWithFlags(&made, flags), kSuccess);
    return made;
  }

  uint32_t* device_ = nullptr;
  uint32_t* host_ = nullptr;
  uint64_t* flags_ = nullptr;
  std::vector<cudaStream_t> made_;
};

class ContractDeathTest : public Contract {
 protected:
  ContractDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

}  // namespace contract
