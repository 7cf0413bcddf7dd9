// Communicators of one vendor: handed whole to that vendor's library, here a stand-in, whose own counters say what it
// carried. Run with NCCL's and with libraries that lack much of it.

#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "tests/vendors/cases.h"
#include "tests/vendors/ccl/face.h"

namespace {

using rig::as;
using rig::Buffer;
using rig::kCpu;
using rig::Rank;
using standin_ccl::Kind;

void* library() {
  void* found = ::dlopen(rig::setting("AMALGAM_VENDOR_LIBRARY").c_str(), RTLD_LAZY | RTLD_NOLOAD);
  EXPECT_NE(found, nullptr) << "nobody has opened the vendor's library";
  return found;
}

bool vendor_has(const char* name) { return ::dlsym(library(), name) != nullptr; }

const standin_ccl::Counters& counters() {
  const auto get = reinterpret_cast<decltype(&standin_ccl_counters)>(::dlsym(library(), "standin_ccl_counters"));
  return *get();
}

std::uint64_t calls(Kind kind) { return counters().calls[static_cast<std::size_t>(kind)].load(); }

template <typename T>
void check_all(const std::vector<std::size_t>& counts) {
  const auto all_cases = rig::cases<T>();
  rig::run({0, 1, 2}, [&](Rank& rank) {
    unsigned seed = 1;
    for (std::size_t count : counts)
      for (const auto& one_case : all_cases) rig::check_case(rank, one_case, count, seed++);
  });
}

TEST(Delegate, EveryCollectiveGivesWhatAPlainComputationGives) {
  check_all<std::int32_t>({1, 1000, 0});
  check_all<float>({17, 70001});
}

TEST(Delegate, TheVendorCarriesEveryCall) {
  std::atomic<std::uint64_t> before{0};
  rig::run({0, 1}, [&](Rank& rank) {
    const float one = 1;
    Buffer data(rank, sizeof(float));
    data.write(&one, rank.stream);
    if (rank.rank == 0) before = calls(Kind::kAllReduce);
    for (int i = 0; i < 5; ++i)
      ASSERT_EQ(ncclAllReduce(data.at(), data.at(), 1, ncclFloat, ncclSum, rank.comm, rank.stream), ncclSuccess);
    EXPECT_EQ(as<float>(data.read(rank.stream))[0], 32.0F);
    int device = -1;
    EXPECT_EQ(ncclCommCuDevice(rank.comm, &device), ncclSuccess);
    EXPECT_EQ(device, rank.place.device);
  });
  EXPECT_GE(calls(Kind::kAllReduce), before + 5);
  EXPECT_GT(counters().communicators.load(), 0U);
}

TEST(Delegate, MessagesInAGroupInAnyOrderAndToOneself) {
  rig::run({0, 1, 2}, [](Rank& rank) { rig::check_messages(rank, 50001); });
}

TEST(Delegate, UnequalBlocksAreComposedOfMessages) { rig::run({0, 1, 2}, rig::check_unequal_blocks); }

TEST(Delegate, AUserOperationMayBeDestroyedBeforeItsGroupEnds) {
  rig::run({0, 1}, [](Rank& rank) {
    const float factor = static_cast<float>(rank.rank + 2), value = 3;
    Buffer now(rank, sizeof(float)), later(rank, sizeof(float)), scalar(rank, sizeof(float));
    now.write(&value, rank.stream);
    later.write(&value, rank.stream);
    scalar.write(&factor, rank.stream);
    ncclRedOp_t immediate, device;
    float changing = factor;
    ASSERT_EQ(ncclRedOpCreatePreMulSum(&immediate, &changing, ncclFloat, ncclScalarHostImmediate, rank.comm),
              ncclSuccess);
    ASSERT_EQ(ncclRedOpCreatePreMulSum(&device, scalar.at(), ncclFloat, ncclScalarDevice, rank.comm), ncclSuccess);
    changing = 100;
    ASSERT_EQ(ncclGroupStart(), ncclSuccess);
    ASSERT_EQ(ncclAllReduce(now.at(), now.at(), 1, ncclFloat, immediate, rank.comm, rank.stream), ncclSuccess);
    ASSERT_EQ(ncclAllReduce(later.at(), later.at(), 1, ncclFloat, device, rank.comm, rank.stream), ncclSuccess);
    ASSERT_EQ(ncclRedOpDestroy(immediate, rank.comm), ncclSuccess);
    ASSERT_EQ(ncclRedOpDestroy(device, rank.comm), ncclSuccess);
    if (!vendor_has("ncclRedOpCreatePreMulSum")) {
      EXPECT_EQ(ncclGroupEnd(), ncclInvalidUsage);
      EXPECT_NE(std::string(ncclGetLastError(nullptr)).find("has no ncclRedOpCreatePreMulSum"), std::string::npos);
      return;
    }
    ASSERT_EQ(ncclGroupEnd(), ncclSuccess) << ncclGetLastError(nullptr);
    EXPECT_EQ(as<float>(now.read(rank.stream))[0], 15.0F);
    EXPECT_EQ(as<float>(later.read(rank.stream))[0], 15.0F);
  });
}

TEST(Delegate, ANonBlockingInitIsPolledToItsEnd) {
  ncclUniqueId id;
  ASSERT_EQ(ncclGetUniqueId(&id), ncclSuccess);
  std::vector<std::thread> threads;
  for (int r = 0; r < 2; ++r)
    threads.emplace_back([&, r] {
      ASSERT_EQ(rig::default_runtime()->set_device(r), face::kSuccess);
      ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
      config.blocking = 0;
      ncclComm_t comm = nullptr;
      EXPECT_EQ(ncclCommInitRankConfig(&comm, 2, id, r, &config), ncclInProgress);
      ncclResult_t state = ncclInProgress;
      while (state == ncclInProgress) {
        ASSERT_EQ(ncclCommGetAsyncError(comm, &state), ncclSuccess);
        std::this_thread::yield();
      }
      ASSERT_EQ(state, ncclSuccess) << ncclGetLastError(nullptr);
      const std::int32_t one = 1;
      Buffer data(Rank{r, 2, rig::Place(r), comm, nullptr}, sizeof(one));
      data.write(&one, nullptr);
      EXPECT_EQ(ncclAllReduce(data.at(), data.at(), 1, ncclInt32, ncclSum, comm, nullptr), ncclSuccess);
      EXPECT_EQ(as<std::int32_t>(data.read(nullptr))[0], 2);
      EXPECT_EQ(ncclCommDestroy(comm), ncclSuccess);
    });
  for (std::thread& thread : threads) thread.join();
}

// The stream is held back before its data is there. Were the vendor's kernel anywhere else it would read that now.
TEST(Delegate, TheVendorsWorkIsInTheCallersStream) {
  rig::run({0, 1}, [](Rank& rank) {
    const rig::Runtime& runtime = *rank.place.runtime;
    std::uint32_t* flag = nullptr;
    ASSERT_EQ(runtime.allocate_pinned(reinterpret_cast<void**>(&flag), sizeof(*flag), 0), face::kSuccess);
    *flag = 0;
    Buffer data(rank, 4000);
    ASSERT_EQ(runtime.spin(flag, rank.stream), face::kSuccess);
    ASSERT_EQ(runtime.fill32(static_cast<std::uint32_t*>(data.at()), 3, 1000, rank.stream), face::kSuccess);
    ASSERT_EQ(ncclAllReduce(data.at(), data.at(), 1000, ncclInt32, ncclSum, rank.comm, rank.stream), ncclSuccess);
    EXPECT_EQ(runtime.synchronize(nullptr), face::kSuccess);
    __atomic_store_n(flag, 1U, __ATOMIC_RELEASE);
    EXPECT_EQ(as<std::int32_t>(data.read(rank.stream)), std::vector<std::int32_t>(1000, 6));
    EXPECT_EQ(runtime.release_pinned(flag), face::kSuccess);
  });
}

// On one stream, where a kernel of the vendor's behind a stream that waits would meet one before it on another rank.
TEST(Delegate, AGroupWithAMixedCommunicatorInAnyOrder) {
  if (rig::setting("RIG_PREFIX") == "hip") GTEST_SKIP() << "every thread of a process with HIP is a device rank";
  rig::run({0, kCpu, 1}, [](Rank& rank) {
    ncclComm_t child = nullptr;
    ASSERT_EQ(ncclCommSplit(rank.comm, rank.on_device() ? 0 : NCCL_SPLIT_NOCOLOR, 0, &child, nullptr), ncclSuccess);
    const std::int32_t one = 1;
    Buffer vendors(rank, sizeof(one)), mixed(rank, sizeof(one));
    vendors.write(&one, rank.stream);
    mixed.write(&one, rank.stream);
    const auto sum = [&](Buffer& data, ncclComm_t comm) {
      ASSERT_EQ(ncclAllReduce(data.at(), data.at(), 1, ncclInt32, ncclSum, comm, rank.stream), ncclSuccess);
    };
    ASSERT_EQ(ncclGroupStart(), ncclSuccess);
    if (rank.rank == 2) sum(mixed, rank.comm);
    if (child != nullptr) sum(vendors, child);
    if (rank.rank != 2) sum(mixed, rank.comm);
    ASSERT_EQ(ncclGroupEnd(), ncclSuccess) << ncclGetLastError(nullptr);
    EXPECT_EQ(as<std::int32_t>(mixed.read(rank.stream))[0], 3);
    if (child == nullptr) return;
    EXPECT_EQ(as<std::int32_t>(vendors.read(rank.stream))[0], 2);
    EXPECT_EQ(ncclCommDestroy(child), ncclSuccess);
  });
}

// A rank that never calls parks the others' streams; an abort lets them go, and all learn of it.
TEST(Delegate, AnAbortReachesTheVendorAndTheOtherRanks) {
  std::atomic<bool> aborted{false}, joined{false};
  rig::run(
      {0, 1},
      [&](Rank& rank) {
        if (rank.rank == 1) {
          joined = true;  // an abort during its init would reach its vendor's, too
          while (!aborted) std::this_thread::yield();
          ncclResult_t state = ncclSuccess;
          while (state == ncclSuccess) {
            ASSERT_EQ(ncclCommGetAsyncError(rank.comm, &state), ncclSuccess);
            std::this_thread::yield();
          }
          EXPECT_EQ(state, ncclRemoteError);
          EXPECT_EQ(ncclCommAbort(rank.comm), ncclSuccess);
          return;
        }
        while (!joined) std::this_thread::yield();
        const float one = 1;
        Buffer data(rank, sizeof(float));
        data.write(&one, rank.stream);
        ASSERT_EQ(ncclAllReduce(data.at(), data.at(), 1, ncclFloat, ncclSum, rank.comm, rank.stream), ncclSuccess);
        EXPECT_EQ(rank.place.runtime->query(rank.stream), face::kNotReady);
        const std::uint64_t before = counters().aborted.load();
        std::thread([&] { EXPECT_EQ(ncclCommAbort(rank.comm), ncclSuccess); }).join();
        EXPECT_EQ(counters().aborted.load(), before + 1);
        aborted = true;
        EXPECT_EQ(rank.place.runtime->synchronize(rank.stream), face::kSuccess);
      },
      false);
}

// Device and CPU ranks in one communicator; the child with device ranks alone is the vendor's.
TEST(Delegate, AChildOfOneVendorIsHandedOver) {
  if (rig::setting("RIG_PREFIX") == "hip") GTEST_SKIP() << "every thread of a process with HIP is a device rank";
  rig::run({0, kCpu, 1}, [](Rank& rank) {
    ncclComm_t child = nullptr;
    ASSERT_EQ(ncclCommSplit(rank.comm, rank.on_device() ? 7 : NCCL_SPLIT_NOCOLOR, 0, &child, nullptr), ncclSuccess)
        << ncclGetLastError(nullptr);
    const std::int32_t one = 1;
    Buffer data(rank, sizeof(one));
    data.write(&one, rank.stream);
    ASSERT_EQ(ncclAllReduce(data.at(), data.at(), 1, ncclInt32, ncclSum, rank.comm, rank.stream), ncclSuccess);
    EXPECT_EQ(as<std::int32_t>(data.read(rank.stream))[0], 3);
    if (!rank.on_device()) return;
    const std::uint64_t before = calls(Kind::kAllReduce);
    ASSERT_EQ(ncclAllReduce(data.at(), data.at(), 1, ncclInt32, ncclSum, child, rank.stream), ncclSuccess);
    EXPECT_EQ(as<std::int32_t>(data.read(rank.stream))[0], 6);
    EXPECT_GT(calls(Kind::kAllReduce), before);
    EXPECT_EQ(ncclCommDestroy(child), ncclSuccess);
  });
}

// Or the runtime's, where the library has none to give; a registration is a hint, which nobody has to take.
TEST(Delegate, MemoryAndRegistrationsAreTheVendors) {
  rig::run({0, 1}, [](Rank& rank) {
    void* memory = nullptr;
    ASSERT_EQ(ncclMemAlloc(&memory, 4096), ncclSuccess) << ncclGetLastError(nullptr);
    const std::int32_t one = 1;
    constexpr int kToDevice = 1;  // ends the process if the memory is not a device's
    ASSERT_EQ(rank.place.runtime->copy(memory, &one, sizeof(one), kToDevice, rank.stream), face::kSuccess);
    ASSERT_EQ(ncclAllReduce(memory, memory, 1, ncclInt32, ncclSum, rank.comm, rank.stream), ncclSuccess);
    ASSERT_EQ(rank.place.runtime->synchronize(rank.stream), face::kSuccess);
    void* handle = nullptr;
    ASSERT_EQ(ncclCommRegister(rank.comm, memory, 4096, &handle), ncclSuccess);
    EXPECT_EQ(ncclCommDeregister(rank.comm, handle), ncclSuccess);
    EXPECT_EQ(ncclMemFree(memory), ncclSuccess);
  });
}

TEST(Delegate, WhatTheLibraryLacksIsRefusedWithAdvice) {
  rig::run({0, 1}, [](Rank& rank) {
    EXPECT_EQ(ncclCommSuspend(rank.comm, NCCL_SUSPEND_MEM), ncclInvalidUsage);
    EXPECT_NE(std::string(ncclGetLastError(nullptr)).find("ncclCommSuspend is not supported"), std::string::npos);
  });
}

}  // namespace
