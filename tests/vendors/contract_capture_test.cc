// The stand-in's contract: capture of streams into graphs, their launches, and the objects that they own.

#include <functional>

#include "tests/vendors/contract.h"

namespace contract {
namespace {

constexpr int kGlobal = 0, kThreadLocal = 1, kRelaxed = 2;

class Capture : public Contract {
 protected:
  cudaGraphExec_t captured(cudaStream_t origin, const std::function<void()>& body) {
    EXPECT_EQ(cudaStreamBeginCapture(origin, kRelaxed), kSuccess);
    body();
    cudaGraph_t graph = nullptr;
    EXPECT_EQ(cudaStreamEndCapture(origin, &graph), kSuccess);
    cudaGraphExec_t executable = nullptr;
    EXPECT_EQ(cudaGraphInstantiate(&executable, graph, 0), kSuccess);
    EXPECT_EQ(cudaGraphDestroy(graph), kSuccess);
    return executable;
  }
  // What ending the capture says; its graph, if any, is destroyed.
  static int end(cudaStream_t origin) {
    cudaGraph_t graph = nullptr;
    const int error = cudaStreamEndCapture(origin, &graph);
    EXPECT_EQ(graph != nullptr, error == kSuccess);
    if (graph != nullptr) {
      EXPECT_EQ(cudaGraphDestroy(graph), kSuccess);
    }
    return error;
  }
};

void add_one(void* number) { ++*static_cast<int*>(number); }

TEST_F(Capture, NothingRunsBeforeTheLaunchAndAllOfItAtEachLaunch) {
  cudaStream_t origin = stream();
  int calls = 0;
  flags_[3] = 0;
  cudaGraphExec_t graph = captured(origin, [&] {
    ASSERT_EQ(standin_launch_fill32(device_, 40, 8, origin), kSuccess);
    ASSERT_EQ(cudaMemsetAsync(device_ + 8, 1, 32, origin), kSuccess);
    ASSERT_EQ(cudaMemcpyAsync(host_, device_, 64, 2, origin), kSuccess);
    ASSERT_EQ(cudaLaunchHostFunc(origin, add_one, &calls), kSuccess);
    ASSERT_EQ(cuStreamWriteValue64(origin, address(&flags_[3]), 6, 0), kSuccess);
  });
  ASSERT_EQ(cudaDeviceSynchronize(), kSuccess);
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(flags_[3], 0U);
  for (int launch = 1; launch <= 3; ++launch) {
    host_[0] = host_[8] = 0;
    ASSERT_EQ(cudaGraphLaunch(graph, origin), kSuccess);
    ASSERT_EQ(cudaStreamSynchronize(origin), kSuccess);
    EXPECT_EQ(calls, launch);
    EXPECT_EQ(host_[0], 40U);
    EXPECT_EQ(host_[8], 0x01010101U);
    EXPECT_EQ(flags_[3], 6U);
  }
  ASSERT_EQ(cudaGraphExecDestroy(graph), kSuccess);
}

// The branch that waits was captured first: only side by side can both end.
TEST_F(Capture, BranchesForkAndJoinByEventsAndRunSideBySide) {
  cudaStream_t origin = stream(), side = stream(), copies = stream();
  cudaEvent_t fork = event(), join = event();
  cudaGraphExec_t graph = captured(origin, [&] {
    ASSERT_EQ(cudaEventRecord(fork, origin), kSuccess);
    ASSERT_EQ(cudaStreamWaitEvent(side, fork, 0), kSuccess);
    int status = 0;
    ASSERT_EQ(cudaStreamIsCapturing(side, &status), kSuccess);
    EXPECT_EQ(status, 1);
    park(side);
    ASSERT_EQ(cudaMemcpyAsync(host_, device_, 4, 2, side), kSuccess);
    ASSERT_EQ(cudaEventRecord(join, side), kSuccess);
    ASSERT_EQ(cuStreamWriteValue64(origin, address(&flags_[3]), 1, 0), kSuccess);
    ASSERT_EQ(cudaStreamWaitEvent(origin, join, 0), kSuccess);
    ASSERT_EQ(cuStreamWriteValue64(origin, address(&flags_[4]), 1, 0), kSuccess);
  });
  int status = 1;
  ASSERT_EQ(cudaStreamIsCapturing(side, &status), kSuccess);
  EXPECT_EQ(status, 0);
  ASSERT_EQ(cudaGraphLaunch(graph, origin), kSuccess);
  while (__atomic_load_n(&flags_[3], __ATOMIC_ACQUIRE) != 1) std::this_thread::yield();
  copy_and_see_flag(copies);
  EXPECT_EQ(__atomic_load_n(&flags_[4], __ATOMIC_ACQUIRE), 0U);  // behind the join
  EXPECT_EQ(cudaStreamQuery(origin), face::kNotReady);
  release();
  ASSERT_EQ(cudaStreamSynchronize(origin), kSuccess);
  EXPECT_EQ(flags_[4], 1U);
  ASSERT_EQ(cudaGraphExecDestroy(graph), kSuccess);
  EXPECT_EQ(cudaEventQuery(join), face::kCapturedEvent);
  for (cudaEvent_t one : {fork, join}) ASSERT_EQ(cudaEventDestroy(one), kSuccess);
}

TEST_F(Capture, AQueryByAnotherThreadBreaksAGlobalCaptureUnlessItsModeIsRelaxed) {
  const struct {
    int capture, thread;
    bool breaks;
  } cases[] = {{kGlobal, kGlobal, true},
               {kGlobal, kThreadLocal, false},
               {kGlobal, kRelaxed, false},
               {kThreadLocal, kGlobal, false},
               {kRelaxed, kGlobal, false}};
  cudaStream_t origin = stream();
  cudaEvent_t other = event();
  for (const auto& one : cases) {
    ASSERT_EQ(cudaStreamBeginCapture(origin, one.capture), kSuccess);
    std::thread([&] {
      int mode = one.thread;
      EXPECT_EQ(cudaThreadExchangeStreamCaptureMode(&mode), kSuccess);
      EXPECT_EQ(mode, kGlobal);
      EXPECT_EQ(cudaEventQuery(other), one.breaks ? face::kCaptureUnsupported : kSuccess);
    }).join();
    int status = 0;
    ASSERT_EQ(cudaStreamIsCapturing(origin, &status), kSuccess);
    EXPECT_EQ(status, one.breaks ? 2 : 1) << one.capture << one.thread;
    EXPECT_EQ(end(origin), one.breaks ? face::kCaptureInvalidated : kSuccess);
  }
  ASSERT_EQ(cudaEventDestroy(other), kSuccess);
}

TEST_F(Capture, TheThreadsOwnCaptureForbidsInItsOwnMode) {
  cudaStream_t origin = stream();
  cudaEvent_t other = event();
  ASSERT_EQ(cudaStreamBeginCapture(origin, kThreadLocal), kSuccess);
  EXPECT_EQ(cudaEventQuery(other), face::kCaptureUnsupported);
  EXPECT_EQ(end(origin), face::kCaptureInvalidated);
  ASSERT_EQ(cudaStreamBeginCapture(origin, kThreadLocal), kSuccess);
  void* memory = nullptr;
  EXPECT_EQ(cudaMalloc(&memory, 64), face::kCaptureUnsupported);
  EXPECT_EQ(end(origin), face::kCaptureInvalidated);
  ASSERT_EQ(cudaStreamBeginCapture(origin, kRelaxed), kSuccess);
  EXPECT_EQ(cudaStreamSynchronize(origin), face::kCaptureUnsupported);  // itself: in no mode
  EXPECT_EQ(end(origin), face::kCaptureInvalidated);
  ASSERT_EQ(cudaEventDestroy(other), kSuccess);
}

TEST_F(Capture, ErrorsOfBeginAndEnd) {
  cudaStream_t origin = stream(), side = stream();
  cudaEvent_t fork = event();
  EXPECT_EQ(cudaStreamBeginCapture(nullptr, kGlobal), face::kCaptureUnsupported);
  EXPECT_EQ(end(origin), face::kIllegalState);
  ASSERT_EQ(cudaStreamBeginCapture(origin, kThreadLocal), kSuccess);
  EXPECT_EQ(cudaStreamBeginCapture(origin, kThreadLocal), face::kIllegalState);
  std::thread([&] { EXPECT_EQ(end(origin), face::kCaptureWrongThread); }).join();
  ASSERT_EQ(cudaEventRecord(fork, origin), kSuccess);
  ASSERT_EQ(cudaStreamWaitEvent(side, fork, 0), kSuccess);
  ASSERT_EQ(cuStreamWriteValue64(side, address(&flags_[3]), 1, 0), kSuccess);
  EXPECT_EQ(end(origin), face::kCaptureUnjoined);
  ASSERT_EQ(cudaStreamBeginCapture(origin, kRelaxed), kSuccess);
  ASSERT_EQ(cudaEventRecord(fork, origin), kSuccess);
  ASSERT_EQ(cudaStreamWaitEvent(side, fork, 0), kSuccess);
  EXPECT_EQ(end(side), face::kCaptureUnmatched);
  EXPECT_EQ(end(origin), face::kCaptureInvalidated);
  EXPECT_EQ(cudaStreamWaitEvent(side, fork, 0), face::kCapturedEvent);
  ASSERT_EQ(cudaEventDestroy(fork), kSuccess);
}

TEST_F(Capture, ErrorsOfEventsBetweenCapturesAndTheOutside) {
  cudaStream_t first = stream(), second = stream(), outside = stream();
  cudaEvent_t inner = event(), outer = event();
  ASSERT_EQ(cudaEventRecord(outer, outside), kSuccess);
  ASSERT_EQ(cudaStreamBeginCapture(first, kRelaxed), kSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(first, outer, 0), face::kCaptureIsolation);
  EXPECT_EQ(end(first), face::kCaptureInvalidated);
  ASSERT_EQ(cudaStreamBeginCapture(first, kRelaxed), kSuccess);
  ASSERT_EQ(cudaStreamBeginCapture(second, kRelaxed), kSuccess);
  ASSERT_EQ(cudaEventRecord(inner, first), kSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(second, inner, 0), face::kCaptureMerge);
  EXPECT_EQ(end(first), face::kCaptureInvalidated);
  EXPECT_EQ(end(second), face::kCaptureInvalidated);
  for (cudaEvent_t one : {inner, outer}) ASSERT_EQ(cudaEventDestroy(one), kSuccess);
}

TEST_F(Capture, InfoTellsTheCaptureItsGraphAndTheLastNodes) {
  cudaStream_t origin = stream();
  int status = 1;
  uint64_t first = 0, second = 0;
  cudaGraph_t graph = nullptr;
  const void** nodes = nullptr;
  size_t count = 9;
  ASSERT_EQ(cuStreamGetCaptureInfo_v2(origin, &status, &first, &graph, &nodes, &count), kSuccess);
  EXPECT_EQ(status, 0);
  ASSERT_EQ(cudaStreamBeginCapture(origin, kGlobal), kSuccess);
  ASSERT_EQ(cuStreamGetCaptureInfo_v2(origin, &status, &first, &graph, &nodes, &count), kSuccess);
  EXPECT_EQ(status, 1);
  EXPECT_EQ(count, 0U);
  ASSERT_EQ(cuStreamWriteValue64(origin, address(&flags_[3]), 1, 0), kSuccess);
  ASSERT_EQ(cudaStreamGetCaptureInfo(origin, &status, &first, &graph, &nodes, nullptr, &count), kSuccess);
  EXPECT_EQ(count, 1U);
  EXPECT_NE(nodes[0], nullptr);
  cudaGraph_t ended = nullptr;
  ASSERT_EQ(cudaStreamEndCapture(origin, &ended), kSuccess);
  EXPECT_EQ(ended, graph);
  ASSERT_EQ(cudaGraphDestroy(ended), kSuccess);
  ASSERT_EQ(cudaStreamBeginCapture(origin, kGlobal), kSuccess);
  ASSERT_EQ(cuStreamGetCaptureInfo_v2(origin, &status, &second, nullptr, nullptr, nullptr), kSuccess);
  EXPECT_NE(first, second);
  EXPECT_EQ(end(origin), kSuccess);
}

struct Owned {
  std::atomic<bool> gone{false};
  std::thread::id where;
};

void let_go(void* data) {
  auto* owned = static_cast<Owned*>(data);
  owned->where = std::this_thread::get_id();
  owned->gone = true;
}

TEST_F(Capture, AnObjectOutlivesTheGraphItsExecutablesAndTheirLaunches) {
  Owned owned;
  cudaStream_t origin = stream(), copies = stream();
  cudaUserObject_t object = nullptr;
  ASSERT_EQ(cudaUserObjectCreate(&object, &owned, let_go, 1, 1), kSuccess);
  cudaGraphExec_t executable = captured(origin, [&] {
    int status = 0;
    cudaGraph_t graph = nullptr;
    ASSERT_EQ(cuStreamGetCaptureInfo_v2(origin, &status, nullptr, &graph, nullptr, nullptr), kSuccess);
    ASSERT_EQ(cudaGraphRetainUserObject(graph, object, 1, 1), kSuccess);  // gives up the program's reference
    park(origin);
  });
  ASSERT_EQ(cudaGraphLaunch(executable, origin), kSuccess);
  ASSERT_EQ(cudaGraphExecDestroy(executable), kSuccess);
  copy_and_see_flag(copies);
  EXPECT_FALSE(owned.gone);
  release();
  while (!owned.gone) std::this_thread::yield();
  EXPECT_NE(owned.where, std::this_thread::get_id());
}

class CaptureDeathTest : public Capture {
 protected:
  CaptureDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(CaptureDeathTest, TheDestructorOfAnObjectMayNotCallTheRuntime) {
  const auto call = [](void*) { cudaDeviceSynchronize(); };
  EXPECT_DEATH(
      {
        cudaUserObject_t object = nullptr;
        cudaUserObjectCreate(&object, nullptr, call, 1, 1);
        cudaUserObjectRelease(object, 1);
        for (;;) std::this_thread::yield();
      },
      "runtime call inside a host function");
}

}  // namespace
}  // namespace contract
