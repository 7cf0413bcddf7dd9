// The stand-in's contract: what was measured on a GPU. That something is blocked is shown by order: later work on
// another stream is complete, then the blocked work is still not. Run with 8 channels and with 1 (see meson.build).

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "tests/vendors/nvidia/face.h"

namespace {

constexpr std::size_t kCount = 1024;
constexpr std::size_t kBytes = kCount * sizeof(uint32_t);
constexpr int kSuccess = face::kSuccess;

bool one_channel() {
  const char* text = std::getenv("CUDA_DEVICE_MAX_CONNECTIONS");
  return text != nullptr && std::strcmp(text, "1") == 0;
}

CUdeviceptr address(const void* pointer) { return reinterpret_cast<CUdeviceptr>(pointer); }

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

  uint32_t* device_ = nullptr;
  uint32_t* host_ = nullptr;
  uint64_t* flags_ = nullptr;
  std::vector<cudaStream_t> made_;
};

TEST_F(Contract, CopiesFromTheHostAndBackKeepTheirBytes) {
  for (std::size_t i = 0; i < kCount; ++i) host_[i] = static_cast<uint32_t>(i * 3);
  std::vector<uint32_t> back(kCount);
  ASSERT_EQ(cudaMemcpy(device_, host_, kBytes, 1), kSuccess);
  ASSERT_EQ(cudaMemcpyAsync(back.data(), device_, kBytes, 2, nullptr), kSuccess);  // pageable: complete on return
  EXPECT_EQ(std::memcmp(back.data(), host_, kBytes), 0);
}

TEST_F(Contract, AKernelBehindAParkedStreamOfItsChannelIsStuckWhileHostCopiesProgress) {
  cudaStream_t parked = stream(), other = stream(), copies = stream();
  park(parked);
  ASSERT_EQ(standin_launch_fill32(device_ + 1, 8, 1, parked), kSuccess);
  ASSERT_EQ(standin_launch_fill32(device_ + 2, 9, 1, other), kSuccess);
  if (!one_channel()) {
    ASSERT_EQ(cudaStreamSynchronize(other), kSuccess);  // another channel: free
  }
  copy_and_see_flag(copies);
  EXPECT_EQ(cudaStreamQuery(other), one_channel() ? face::kNotReady : face::kSuccess);
  EXPECT_EQ(cudaStreamQuery(parked), face::kNotReady);
  release();
  ASSERT_EQ(cudaStreamSynchronize(parked), kSuccess);
  ASSERT_EQ(cudaStreamSynchronize(other), kSuccess);
}

TEST_F(Contract, EightParkedStreamsStopAKernelOnANinth) {
  for (int i = 0; i < 8; ++i) {
    cudaStream_t one = stream();
    park(one);
    ASSERT_EQ(standin_launch_fill32(device_ + i, 8, 1, one), kSuccess);
  }
  cudaStream_t ninth = stream(), copies = stream();
  ASSERT_EQ(standin_launch_fill32(device_ + 9, 9, 1, ninth), kSuccess);
  copy_and_see_flag(copies);
  EXPECT_EQ(cudaStreamQuery(ninth), face::kNotReady);
  release();
  ASSERT_EQ(cudaStreamSynchronize(ninth), kSuccess);
}

TEST_F(Contract, FreeBlocksUntilParkedWorkIsReleased) {
  void* extra = nullptr;
  ASSERT_EQ(cudaMalloc(&extra, 64), kSuccess);
  cudaStream_t parked = stream(), copies = stream();
  park(parked);
  std::atomic<bool> entered{false}, freed{false};
  std::thread freeing([&] {
    entered = true;
    EXPECT_EQ(cudaFree(extra), kSuccess);
    freed = true;
  });
  while (!entered) std::this_thread::yield();
  copy_and_see_flag(copies);
  EXPECT_FALSE(freed);
  release();
  freeing.join();
  EXPECT_EQ(cudaStreamQuery(parked), face::kSuccess);
}

TEST_F(Contract, TheNullStreamWaitsForBlockingStreamsOnly) {
  cudaStream_t blocking = stream(0), free = stream(1);
  park(blocking);
  ASSERT_EQ(cudaMemcpyAsync(host_, device_, kBytes, 2, nullptr), kSuccess);
  copy_and_see_flag(free);
  EXPECT_EQ(cudaStreamQuery(nullptr), face::kNotReady);
  release();
  ASSERT_EQ(cudaStreamSynchronize(nullptr), kSuccess);
}

TEST_F(Contract, AnEventIsASnapshotOfItsStream) {
  cudaStream_t work = stream();
  cudaEvent_t event = nullptr;
  ASSERT_EQ(cudaEventCreateWithFlags(&event, 2), kSuccess);
  ASSERT_EQ(cudaEventRecord(event, work), kSuccess);
  park(work);
  ASSERT_EQ(cudaEventSynchronize(event), kSuccess);  // would hang if it meant what came later
  EXPECT_EQ(cudaStreamQuery(work), face::kNotReady);
  release();
  ASSERT_EQ(cudaStreamSynchronize(work), kSuccess);
  ASSERT_EQ(cudaEventDestroy(event), kSuccess);
}

class ContractDeathTest : public Contract {
 protected:
  ContractDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(ContractDeathTest, TheCpuCannotReadDeviceMemory) {
  EXPECT_EXIT(std::exit(*const_cast<volatile uint32_t*>(device_) == 7 ? 0 : 1), ::testing::KilledBySignal(SIGSEGV), "");
}

TEST_F(ContractDeathTest, MisuseNamesTheRule) {
  EXPECT_DEATH(cudaMemcpy(host_, device_, kBytes + 4, 2), "cudaMemcpy: beyond the end");
  EXPECT_DEATH(cudaFree(device_ + 4), "cudaFree: not the start");
  EXPECT_DEATH(cudaStreamSynchronize(reinterpret_cast<cudaStream_t>(host_)), "not live");
}

TEST_F(ContractDeathTest, ReadingWhatWasNeverWrittenOrIsFreedEndsTheProcess) {
  void* fresh = nullptr;
  ASSERT_EQ(cudaMalloc(&fresh, kBytes), kSuccess);
  EXPECT_DEATH(cudaMemcpy(host_, fresh, kBytes, 2), "never written");
  ASSERT_EQ(cudaFree(fresh), kSuccess);
  EXPECT_DEATH(cudaMemcpy(host_, fresh, kBytes, 2), "not allocated");
}

TEST_F(ContractDeathTest, ARuntimeCallInAHostFunctionEndsTheProcess) {
  const auto call = [](void*) { cudaDeviceSynchronize(); };
  EXPECT_DEATH(
      {
        cudaLaunchHostFunc(nullptr, call, nullptr);
        cudaStreamSynchronize(nullptr);
      },
      "runtime call inside a host function");
}

}  // namespace
