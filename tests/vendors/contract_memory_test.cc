// The stand-in's contract: memory, copies, and the kernels that reach memory.

#include "tests/vendors/contract.h"

namespace contract {
namespace {

TEST_F(Contract, CopiesFromTheHostAndBackKeepTheirBytes) {
  for (std::size_t i = 0; i < kCount; ++i) host_[i] = static_cast<uint32_t>(i * 3);
  std::vector<uint32_t> back(kCount);
  ASSERT_EQ(cudaMemcpy(device_, host_, kBytes, 1), kSuccess);
  ASSERT_EQ(cudaMemcpyAsync(back.data(), device_, kBytes, 2, nullptr), kSuccess);  // pageable: complete on return
  EXPECT_EQ(std::memcmp(back.data(), host_, kBytes), 0);
}

TEST_F(Contract, FreeBlocksUntilParkedWorkIsReleased) {
  void* extra = nullptr;
  ASSERT_EQ(cudaMalloc(&extra, 64), kSuccess);
  cudaStream_t parked = stream();
  park(parked);
  std::atomic<bool> freed{false};
  std::thread freeing([&] {
    EXPECT_EQ(cudaFree(extra), kSuccess);
    freed = true;
  });
  see_blocked(1);
  EXPECT_FALSE(freed);
  release();
  freeing.join();
  EXPECT_EQ(cudaStreamQuery(parked), face::kSuccess);
}

// Each copy is the only one of its direction that could be in the way of the others.
TEST_F(Contract, CopiesRunBesideAKernelAndBesideEachOther) {
  cudaStream_t kernel = stream(), out = stream(), in = stream();
  auto* flag = reinterpret_cast<uint32_t*>(&flags_[0]);
  ASSERT_EQ(standin_launch_spin(flag, kernel), kSuccess);
  ASSERT_EQ(cudaMemcpyAsync(host_, device_, kBytes, 2, out), kSuccess);
  ASSERT_EQ(cudaStreamSynchronize(out), kSuccess);
  ASSERT_EQ(cudaMemcpyAsync(device_, host_, kBytes, 1, in), kSuccess);
  ASSERT_EQ(cudaStreamSynchronize(in), kSuccess);
  EXPECT_EQ(cudaStreamQuery(kernel), face::kNotReady);
  release();
  ASSERT_EQ(cudaStreamSynchronize(kernel), kSuccess);
}

TEST_F(Contract, KernelsFillCopyAndFoldEveryType) {
  const auto check = [&](auto zero, int type) {
    using T = decltype(zero);
    const struct {
      int fold;
      T expected;
    } cases[] = {{face::kSum, 9}, {face::kProduct, 14}, {face::kMaximum, 7}, {face::kMinimum, 2}};
    auto* to = reinterpret_cast<T*>(device_);
    T* from = to + 16;
    for (const auto& one : cases) {
      T back[16];
      ASSERT_EQ(standin_launch_fill(from, 7, 16, type, nullptr), kSuccess);
      ASSERT_EQ(standin_launch_copy(to, from, 16, type, nullptr), kSuccess);
      ASSERT_EQ(standin_launch_fill(from, 2, 16, type, nullptr), kSuccess);
      ASSERT_EQ(standin_launch_fold(to, from, 16, type, one.fold, nullptr), kSuccess);
      ASSERT_EQ(cudaMemcpy(back, to, sizeof back, 2), kSuccess);
      for (const T value : back) EXPECT_EQ(value, one.expected) << "type " << type << ", fold " << one.fold;
    }
  };
  check(std::int8_t{}, face::kInt8);
  check(std::uint8_t{}, face::kUint8);
  check(std::int32_t{}, face::kInt32);
  check(std::int64_t{}, face::kInt64);
  check(float{}, face::kFloat);
  check(double{}, face::kDouble);
  EXPECT_EQ(standin_launch_fill(device_, 0, 1, 99, nullptr), face::kInvalidValue);
  EXPECT_EQ(standin_launch_fold(device_, device_, 1, face::kFloat, 4, nullptr), face::kInvalidValue);
}

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

TEST_F(ContractDeathTest, KernelsAreCheckedLikeCopies) {
  void* fresh = nullptr;
  ASSERT_EQ(cudaMalloc(&fresh, kBytes), kSuccess);
  EXPECT_DEATH(standin_launch_fill(fresh, 1, kCount + 1, face::kFloat, nullptr), "standin_launch_fill: beyond the end");
  EXPECT_DEATH(
      {
        standin_launch_fold(device_, fresh, kCount, face::kFloat, face::kSum, nullptr);
        cudaDeviceSynchronize();
      },
      "standin_launch_fold: read of device memory that was never written");
  ASSERT_EQ(cudaFree(fresh), kSuccess);
}

}  // namespace
}  // namespace contract
