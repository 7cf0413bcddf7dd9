// The stand-in's contract: streams, channels, events, memops and host functions. Run with 8 channels, with 1, and with
// launches that block (see meson.build).

#include <array>
#include <chrono>

#include "tests/vendors/contract.h"

namespace contract {
namespace {

using Op = CUstreamBatchMemOpParams;

Op memop(int operation, const void* at, uint64_t value, unsigned flags = 0) {
  Op made{};
  made.value.operation = operation;
  made.value.address = address(at);
  made.value.value64 = value;
  made.value.flags = flags;
  return made;
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

// A running kernel stops its channel only if another kernel is queued behind it, as measured.
TEST_F(Contract, AKernelThatRunsOnStopsItsChannelOnlyWithAnotherBehindIt) {
  cudaStream_t spinning = stream(), other = stream(), copies = stream();
  ASSERT_EQ(standin_launch_spin(reinterpret_cast<uint32_t*>(&flags_[0]), spinning), kSuccess);
  ASSERT_EQ(standin_launch_fill32(device_, 9, 1, other), kSuccess);
  ASSERT_EQ(cudaStreamSynchronize(other), kSuccess);
  ASSERT_EQ(standin_launch_fill32(device_ + 1, 9, 1, spinning), kSuccess);
  ASSERT_EQ(standin_launch_fill32(device_ + 2, 9, 1, other), kSuccess);
  if (!one_channel()) {
    ASSERT_EQ(cudaStreamSynchronize(other), kSuccess);
  }
  copy_and_see_flag(copies);
  EXPECT_EQ(cudaStreamQuery(other), one_channel() ? face::kNotReady : face::kSuccess);
  release();
  ASSERT_EQ(cudaDeviceSynchronize(), kSuccess);
}

// Neither could end if the device ran one kernel to its end before the next.
TEST_F(Contract, KernelsOfManyStepsRunSideBySide) {
  std::array<std::atomic<bool>, 2> started{};
  struct Meeting {
    std::atomic<bool>*own, *other;
  };
  Meeting first{&started[0], &started[1]}, second{&started[1], &started[0]};
  const auto meet = [](void* state) {
    const auto* meeting = static_cast<Meeting*>(state);
    *meeting->own = true;
    return meeting->other->load() ? 1 : 0;
  };
  ASSERT_EQ(standin_launch_steps(meet, &first, stream()), kSuccess);
  ASSERT_EQ(standin_launch_steps(meet, &second, stream()), kSuccess);
  ASSERT_EQ(cudaDeviceSynchronize(), kSuccess);
}

TEST_F(Contract, EnqueueBlocksBehind64ParkedStreamsWithAKernelBehindTheirWait) {
  for (int i = 0; i < 64; ++i) {
    cudaStream_t one = stream();
    ASSERT_EQ(cuStreamWaitValue64_v2(one, address(&flags_[i == 0 ? 2 : 0]), 1, 0), kSuccess);
    ASSERT_EQ(standin_launch_fill32(device_ + i, 8, 1, one), kSuccess);
  }
  cudaStream_t free = stream();
  std::atomic<bool> queued{false};
  std::thread queueing([&] {
    EXPECT_EQ(cudaMemcpyAsync(host_, device_, kBytes, 2, free), kSuccess);
    queued = true;
  });
  see_blocked(1);
  EXPECT_FALSE(queued);
  __atomic_store_n(&flags_[2], 1, __ATOMIC_RELEASE);  // one of them
  queueing.join();
  EXPECT_EQ(cudaStreamQuery(made_[1]), face::kNotReady);
  release();
  ASSERT_EQ(cudaDeviceSynchronize(), kSuccess);
}

TEST_F(Contract, AThreadsOwnStreamEndsWithIt) {
  const auto own = reinterpret_cast<cudaStream_t>(2);
  const int before = standin_streams();
  std::thread([&] {
    ASSERT_EQ(standin_launch_fill32(device_, 1, 1, own), kSuccess);
    ASSERT_EQ(cudaStreamSynchronize(own), kSuccess);
    EXPECT_EQ(standin_streams(), before + 1);
  }).join();
  EXPECT_EQ(standin_streams(), before);
}

TEST_F(Contract, AnEventNeverRecordedHoldsNothingUp) {
  cudaEvent_t never = event();
  cudaStream_t waiting = stream();
  ASSERT_EQ(cudaEventQuery(never), kSuccess);
  ASSERT_EQ(cudaEventSynchronize(never), kSuccess);
  ASSERT_EQ(cudaStreamWaitEvent(waiting, never, 0), kSuccess);
  EXPECT_EQ(cudaStreamQuery(waiting), kSuccess);
  ASSERT_EQ(cudaEventDestroy(never), kSuccess);
}

TEST_F(Contract, AWaitOutlivesItsEvent) {
  cudaEvent_t pending = event();
  cudaStream_t parked = stream(), waiting = stream(), copies = stream();
  park(parked);
  ASSERT_EQ(cudaEventRecordWithFlags(pending, parked, 0), kSuccess);
  ASSERT_EQ(cudaStreamWaitEvent(waiting, pending, 0), kSuccess);
  ASSERT_EQ(cudaEventDestroy(pending), kSuccess);
  copy_and_see_flag(copies);
  EXPECT_EQ(cudaStreamQuery(waiting), face::kNotReady);
  release();
  ASSERT_EQ(cudaStreamSynchronize(waiting), kSuccess);
}

TEST_F(Contract, EventsTellTheTimeBetweenThem) {
  cudaEvent_t first = event(0), second = event(0), untimed = event(2);
  cudaStream_t work = stream();
  float milliseconds = -1;
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, first, second), face::kInvalidHandle);  // never recorded
  ASSERT_EQ(cudaEventRecord(first, work), kSuccess);
  ASSERT_EQ(cudaEventSynchronize(first), kSuccess);
  const auto begin = std::chrono::steady_clock::now();
  park(work);
  ASSERT_EQ(cudaEventRecord(second, work), kSuccess);
  ASSERT_EQ(cudaEventRecord(untimed, work), kSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, first, second), face::kNotReady);
  const std::chrono::duration<float, std::milli> least = std::chrono::steady_clock::now() - begin;
  release();
  ASSERT_EQ(cudaEventSynchronize(second), kSuccess);
  ASSERT_EQ(cudaEventElapsedTime(&milliseconds, first, second), kSuccess);
  EXPECT_GE(milliseconds, least.count());
  ASSERT_EQ(cudaEventSynchronize(untimed), kSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, first, untimed), face::kInvalidHandle);
  for (cudaEvent_t one : {first, second, untimed}) ASSERT_EQ(cudaEventDestroy(one), kSuccess);
}

TEST_F(Contract, EachConditionOfAWaitIn32And64Bits) {
  const struct {
    unsigned condition;
    uint64_t value, before, after;
  } cases[] = {
      {0, 5, 4, 5}, {1, 5, 6, 5}, {2, 4, 3, 6}, {3, 0xf0f0f0f0f0f0f0f0, 0x0f0f0f0f0f0f0f0f, 0x0e0f0f0f0e0f0f0f}};
  cudaStream_t waiting = stream(), copies = stream();
  for (const bool wide : {false, true})
    for (const auto& one : cases) {
      flags_[1] = 0;
      flags_[3] = one.before;
      if (wide) {
        ASSERT_EQ(cuStreamWaitValue64(waiting, address(&flags_[3]), one.value, one.condition), kSuccess);
      } else {
        ASSERT_EQ(cuStreamWaitValue32(waiting, address(&flags_[3]), static_cast<uint32_t>(one.value), one.condition),
                  kSuccess);
      }
      copy_and_see_flag(copies);
      EXPECT_EQ(cudaStreamQuery(waiting), face::kNotReady) << "condition " << one.condition << ", wide " << wide;
      __atomic_store_n(&flags_[3], one.after, __ATOMIC_RELEASE);
      ASSERT_EQ(cudaStreamSynchronize(waiting), kSuccess);
    }
}

TEST_F(Contract, AMemopTouchesItsOwnWidthAndRefusesWhatIsAskew) {
  flags_[4] = ~uint64_t{0};
  ASSERT_EQ(cuStreamWriteValue32(nullptr, address(&flags_[4]), 7, 0), kSuccess);
  ASSERT_EQ(cudaStreamSynchronize(nullptr), kSuccess);
  EXPECT_EQ(flags_[4], 0xffffffff00000007);
  EXPECT_EQ(cuStreamWriteValue32(nullptr, address(&flags_[4]) + 2, 7, 0), face::kInvalidValue);
  EXPECT_EQ(cuStreamWriteValue64(nullptr, address(&flags_[4]) + 4, 7, 0), face::kInvalidValue);
  EXPECT_EQ(cuStreamWaitValue32(nullptr, address(&flags_[4]), 7, 4), face::kInvalidValue);
}

TEST_F(Contract, ABatchRunsInOrderOrNotAtAll) {
  cudaStream_t work = stream(), copies = stream();
  std::array<Op, 4> ops = {memop(5, &flags_[5], 11), memop(4, &flags_[0], 1), memop(2, &flags_[6], 12),
                           memop(1, &flags_[6], 12, 1)};
  ASSERT_EQ(cuStreamBatchMemOp(work, 4, ops.data(), 0), kSuccess);
  while (__atomic_load_n(&flags_[5], __ATOMIC_ACQUIRE) != 11) std::this_thread::yield();
  copy_and_see_flag(copies);
  EXPECT_EQ(flags_[6], 0U);
  release();
  ASSERT_EQ(cudaStreamSynchronize(work), kSuccess);
  EXPECT_EQ(flags_[6], 12U);
  ops[0] = memop(5, &flags_[5], 99);
  ops[3] = memop(77, &flags_[6], 0);
  EXPECT_EQ(cuStreamBatchMemOp(work, 4, ops.data(), 0), face::kInvalidValue);
  std::vector<Op> many(256, memop(5, &flags_[5], 99));
  EXPECT_EQ(cuStreamBatchMemOp(work, 256, many.data(), 0), face::kInvalidValue);
  ASSERT_EQ(cudaStreamSynchronize(work), kSuccess);
  EXPECT_EQ(flags_[5], 11U);
}

TEST_F(Contract, ACallbackRunsInItsPlaceAndKnowsItsStream) {
  struct Seen {
    std::atomic<cudaStream_t> stream{nullptr};
    std::atomic<int> status{-1};
  } seen;
  const auto callback = [](cudaStream_t on, cudaError_t status, void* data) {
    static_cast<Seen*>(data)->status = status;
    static_cast<Seen*>(data)->stream = on;
  };
  cudaStream_t work = stream(), copies = stream();
  park(work);
  ASSERT_EQ(cudaStreamAddCallback(work, callback, &seen, 0), kSuccess);
  copy_and_see_flag(copies);
  EXPECT_EQ(seen.stream.load(), nullptr);
  release();
  ASSERT_EQ(cudaStreamSynchronize(work), kSuccess);
  EXPECT_EQ(seen.stream.load(), work);
  EXPECT_EQ(seen.status.load(), kSuccess);
  EXPECT_EQ(cudaStreamAddCallback(work, callback, &seen, 1), face::kInvalidValue);
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

// In a process of its own, for the variable is read once.
class BlockingLaunches : public Contract {};

TEST_F(BlockingLaunches, ALaunchWaitsForItsStreamParkedOrNot) {
  const char* text = std::getenv("CUDA_LAUNCH_BLOCKING");
  if (text == nullptr) GTEST_SKIP() << "without CUDA_LAUNCH_BLOCKING";
  cudaStream_t parked = stream();
  park(parked);
  std::atomic<bool> launched{false};
  std::thread launching([&] {
    EXPECT_EQ(standin_launch_fill32(device_, 8, 1, parked), kSuccess);
    launched = true;
  });
  see_blocked(1);
  EXPECT_FALSE(launched);
  release();
  launching.join();
  EXPECT_EQ(cudaStreamQuery(parked), kSuccess);
}

}  // namespace
}  // namespace contract
