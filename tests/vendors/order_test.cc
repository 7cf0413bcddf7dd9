// What orders our work with the user's, one rule to a test. Each holds something back where it stays until the test
// lets it go, and lets the library go on meanwhile as far as it will: what breaks a rule then breaks the test, whatever
// the machine's speed. tests/broken/ shows that it does.

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "tests/vendors/cases.h"
#include "tests/vendors/order.h"

namespace {

using order::Hold;
using order::OwnStream;
using order::pass_markers;
using order::Probe;
using order::wait_for;
using rig::as;
using rig::Buffer;
using rig::kCpu;
using rig::Rank;

using Numbers = std::vector<std::int32_t>;

void fill(Buffer& buffer, std::uint32_t value, cudaStream_t stream) {
  auto* to = static_cast<std::uint32_t*>(buffer.at());
  ASSERT_EQ(standin_launch_fill32(to, value, buffer.bytes() / sizeof(value), stream), face::kSuccess);
}

void sum(Buffer& data, ncclComm_t comm, cudaStream_t stream) {
  const std::size_t count = data.bytes() / sizeof(std::int32_t);
  ASSERT_EQ(ncclAllReduce(data.at(), data.at(), count, ncclInt32, ncclSum, comm, stream), ncclSuccess)
      << ncclGetLastError(nullptr);
}

// A device rank's buffer is filled by a kernel of the user's that comes late; a CPU rank's has its value.
struct Filled {
  Filled(const Rank& rank, std::uint32_t its_value) : buffer(rank, 4000), value(its_value) {
    const Numbers numbers(1000, static_cast<std::int32_t>(value));
    if (!rank.on_device()) buffer.write(numbers.data(), nullptr);
  }
  void fill_on(cudaStream_t stream) { fill(buffer, value, stream); }
  Buffer buffer;
  std::uint32_t value;
};

TEST(Order, ACallWaitsForTheWorkBeforeItInItsStream) {
  std::atomic<int> passed{0};
  rig::run({0, kCpu}, [&](Rank& rank) {
    Probe probe(rank);
    Filled data(rank, 5);
    if (rank.on_device()) {
      Hold hold;
      hold.stop(rank.stream);
      data.fill_on(rank.stream);
      sum(data.buffer, rank.comm, rank.stream);
      probe.pass(passed);
      hold.go();
      EXPECT_EQ(as<std::int32_t>(data.buffer.read(rank.stream)), Numbers(1000, 10));
    } else {
      probe.pass(passed);
      sum(data.buffer, rank.comm, nullptr);
      EXPECT_EQ(as<std::int32_t>(data.buffer.read(nullptr)), Numbers(1000, 10));
    }
  });
}

// Issue order is the order of execution: what comes later waits, on a stream that has nothing to wait for as well.
TEST(Order, ASecondCallDoesNotOvertakeTheFirst) {
  std::atomic<int> passed{0};
  rig::run({0, kCpu}, [&](Rank& rank) {
    Probe probe(rank);
    const OwnStream other(rank);
    Filled first(rank, 5);
    Buffer second(rank, 4000);
    second.write(Numbers(1000, 7).data(), other);
    if (rank.on_device()) {
      Hold hold;
      hold.stop(rank.stream);
      first.fill_on(rank.stream);
      sum(first.buffer, rank.comm, rank.stream);
      sum(second, rank.comm, other);
      probe.pass(passed);
      hold.go();
    } else {
      probe.pass(passed);
      sum(first.buffer, rank.comm, nullptr);
      sum(second, rank.comm, nullptr);
    }
    EXPECT_EQ(as<std::int32_t>(first.buffer.read(rank.stream)), Numbers(1000, 10));
    EXPECT_EQ(as<std::int32_t>(second.read(other)), Numbers(1000, 14));
  });
}

// The same gate carries one call after another; each waits for its own.
TEST(Order, EveryCallOfAStreamWaitsAnew) {
  std::atomic<int> passed{0};
  rig::run({0, kCpu}, [&](Rank& rank) {
    Probe probe(rank);
    for (std::int32_t round = 1; round <= 3; ++round) {
      Filled data(rank, static_cast<std::uint32_t>(round));
      if (rank.on_device()) {
        Hold hold;
        hold.stop(rank.stream);
        data.fill_on(rank.stream);
        sum(data.buffer, rank.comm, rank.stream);
        fill(data.buffer, 9, rank.stream);  // comes after the result, which is taken from here by nobody
        probe.pass(passed);
        hold.go();
        EXPECT_EQ(as<std::int32_t>(data.buffer.read(rank.stream)), Numbers(1000, 9));
      } else {
        probe.pass(passed);
        sum(data.buffer, rank.comm, nullptr);
        EXPECT_EQ(as<std::int32_t>(data.buffer.read(nullptr)), Numbers(1000, 2 * round));
      }
    }
  });
}

// The parked stream is the one in whose order all others are: our own copies must not be.
TEST(Order, TheNullStreamMayWaitForALateRank) {
  std::atomic<bool> issued{false};
  rig::run({0, kCpu}, [&](Rank& rank) {
    Buffer data(rank, 4000);
    data.write(Numbers(1000, 3).data(), nullptr);
    if (rank.on_device()) {
      sum(data, rank.comm, nullptr);
      issued = true;
    } else {
      wait_for(issued);
      sum(data, rank.comm, nullptr);
    }
    EXPECT_EQ(as<std::int32_t>(data.read(nullptr)), Numbers(1000, 6));
  });
}

TEST(Order, TheCallersDeviceStaysCurrent) {
  rig::run({0, 1, kCpu}, [](Rank& rank) {
    constexpr int kOther = 2;
    const auto is_current = [&] {
      int device = -1;
      EXPECT_TRUE(!rank.on_device() || (cudaGetDevice(&device) == face::kSuccess && device == kOther)) << device;
    };
    Buffer data(rank, 4000);
    data.write(Numbers(1000, 1).data(), rank.stream);
    if (rank.on_device()) {
      ASSERT_EQ(cudaSetDevice(kOther), face::kSuccess);
    }
    sum(data, rank.comm, rank.stream);
    is_current();
    ASSERT_EQ(ncclGroupStart(), ncclSuccess);
    sum(data, rank.comm, rank.stream);
    ASSERT_EQ(ncclGroupEnd(), ncclSuccess);
    is_current();
    ncclComm_t child = nullptr;
    ASSERT_EQ(ncclCommSplit(rank.comm, 0, 0, &child, nullptr), ncclSuccess) << ncclGetLastError(nullptr);
    is_current();
    sum(data, child, rank.stream);
    is_current();
    EXPECT_EQ(ncclCommDestroy(child), ncclSuccess);
    is_current();
    EXPECT_EQ(as<std::int32_t>(data.read(rank.stream)), Numbers(1000, 27));
  });
}

// The stream without a handle is the current device's; a communicator means its own device's.
TEST(Order, TheNullStreamIsTheCommunicatorsDevices) {
  std::atomic<int> passed{0};
  rig::run({0, kCpu}, [&](Rank& rank) {
    Probe probe(rank);
    Filled data(rank, 5);
    if (rank.on_device()) {
      Hold hold;
      hold.stop(nullptr);
      data.fill_on(nullptr);
      ASSERT_EQ(cudaSetDevice(1), face::kSuccess);
      sum(data.buffer, rank.comm, nullptr);
      ASSERT_EQ(cudaSetDevice(rank.place.device), face::kSuccess);
      probe.pass(passed);
      hold.go();
    } else {
      probe.pass(passed);
      sum(data.buffer, rank.comm, nullptr);
    }
    EXPECT_EQ(as<std::int32_t>(data.buffer.read(nullptr)), Numbers(1000, 10));
  });
}

// Everybody sends ahead first and receives from ahead first: in the order of the calls nobody would ever meet.
TEST(Order, MessagesWhoseOrdersWouldGoInACircle) {
  constexpr std::size_t kCount = 3000000;
  rig::run({0, 1, 2}, [](Rank& rank) {
    const int ahead = (rank.rank + 1) % rank.ranks, behind = (rank.rank + rank.ranks - 1) % rank.ranks;
    Buffer send(rank, kCount), from_ahead(rank, kCount), from_behind(rank, kCount);
    send.write(std::string(kCount, static_cast<char>('a' + rank.rank)).data(), rank.stream);
    ASSERT_EQ(ncclGroupStart(), ncclSuccess);
    for (const auto& [peer, into] : {std::pair(ahead, &from_ahead), std::pair(behind, &from_behind)}) {
      ASSERT_EQ(ncclSend(send.at(), kCount, ncclInt8, peer, rank.comm, rank.stream), ncclSuccess);
      ASSERT_EQ(ncclRecv(into->at(), kCount, ncclInt8, peer, rank.comm, rank.stream), ncclSuccess);
    }
    ASSERT_EQ(ncclGroupEnd(), ncclSuccess) << ncclGetLastError(nullptr);
    EXPECT_EQ(from_ahead.read(rank.stream)[kCount - 1], static_cast<unsigned char>('a' + ahead));
    EXPECT_EQ(from_behind.read(rank.stream)[kCount - 1], static_cast<unsigned char>('a' + behind));
  });
}

// Many more pieces than a stage has slots, and in each piece other values.
TEST(Order, APieceDoesNotTakeAnothersSlot) {
  constexpr std::size_t kCount = 3000000;
  rig::run({0, kCpu}, [](Rank& rank) {
    Numbers numbers(kCount);
    for (std::size_t i = 0; i < kCount; ++i) numbers[i] = static_cast<std::int32_t>(i) - 1000 * rank.rank;
    Buffer in(rank, kCount * sizeof(std::int32_t)), out(rank, kCount * sizeof(std::int32_t));
    in.write(numbers.data(), rank.stream);
    ASSERT_EQ(ncclAllReduce(in.at(), out.at(), kCount, ncclInt32, ncclSum, rank.comm, rank.stream), ncclSuccess);
    const Numbers got = as<std::int32_t>(out.read(rank.stream));
    for (std::size_t i = 0; i < kCount; ++i) ASSERT_EQ(got[i], 2 * static_cast<std::int32_t>(i) - 1000) << i;
  });
}

// Whatever keeps one call's stream parked must not keep another communicator's call from its end, which here is what
// the first one waits for.
TEST(Order, ACallMayEndWhileAnotherCommunicatorsWaits) {
  std::atomic<bool> ended{false};
  rig::run({0, kCpu, 1}, [&](Rank& rank) {
    const bool on_device = rank.on_device();
    ncclComm_t devices = nullptr, first_two = nullptr;
    ASSERT_EQ(ncclCommSplit(rank.comm, on_device ? 0 : NCCL_SPLIT_NOCOLOR, 0, &devices, nullptr), ncclSuccess);
    ASSERT_EQ(ncclCommSplit(rank.comm, rank.rank == 2 ? NCCL_SPLIT_NOCOLOR : 0, 0, &first_two, nullptr), ncclSuccess);
    const OwnStream other(rank);
    Buffer a(rank, 4000), b(rank, 4000);
    a.write(Numbers(1000, 1).data(), rank.stream);
    b.write(Numbers(1000, 2).data(), other);
    if (rank.rank == 2) wait_for(ended);
    if (on_device) sum(a, devices, rank.stream);
    if (rank.rank != 2) sum(b, first_two, other);
    if (!on_device) ended = true;
    if (on_device) {
      EXPECT_EQ(as<std::int32_t>(a.read(rank.stream)), Numbers(1000, 2));
    }
    if (rank.rank != 2) {
      EXPECT_EQ(as<std::int32_t>(b.read(other)), Numbers(1000, 4));
    }
    for (ncclComm_t comm : {devices, first_two})
      if (comm != nullptr) {
        EXPECT_EQ(ncclCommDestroy(comm), ncclSuccess);
      }
  });
}

// A device has one thread for host functions. A call whose stream has not come to it yet must leave it to the user, and
// to the calls before it.
TEST(Order, AHostFunctionOfTheUsersIsNotKeptUp) {
  std::atomic<bool> first_is_done{false};
  rig::run({0, kCpu}, [&](Rank& rank) {
    const OwnStream other(rank), users(rank);
    Filled first(rank, 5);
    Buffer second(rank, 4000);
    second.write(Numbers(1000, 7).data(), other);
    if (rank.on_device()) {
      Hold hold;
      ASSERT_EQ(cudaStreamSynchronize(other), face::kSuccess);
      hold.stop(rank.stream);
      first.fill_on(rank.stream);
      sum(first.buffer, rank.comm, rank.stream);
      sum(second, rank.comm, other);
      pass_markers(users);  // the second call's stream has come to where it waits
      std::atomic<bool> called{false};
      const auto call = [](void* flag) { static_cast<std::atomic<bool>*>(flag)->store(true); };
      ASSERT_EQ(cudaLaunchHostFunc(users, call, &called), face::kSuccess);
      ASSERT_EQ(cudaStreamSynchronize(users), face::kSuccess);
      EXPECT_TRUE(called);
      hold.go();
      EXPECT_EQ(as<std::int32_t>(first.buffer.read(rank.stream)), Numbers(1000, 10));
      first_is_done = true;
    } else {
      sum(first.buffer, rank.comm, nullptr);
      wait_for(first_is_done);
      sum(second, rank.comm, nullptr);
    }
    EXPECT_EQ(as<std::int32_t>(second.read(other)), Numbers(1000, 14));
  });
}

// What a call needs is there since the communicator was made, or since as many calls were under way.
TEST(Order, ARepeatedCallMakesNothing) {
  rig::run({0, kCpu}, [](Rank& rank) {
    Buffer data(rank, 4000);
    data.write(Numbers(1000, 0).data(), rank.stream);
    const auto call = [&](int times) {
      for (int i = 0; i < times; ++i) sum(data, rank.comm, rank.stream);
      EXPECT_EQ(as<std::int32_t>(data.read(rank.stream)), Numbers(1000, 0));
    };
    call(4);
    const std::uint64_t made = standin_made();
    for (int i = 0; i < 20; ++i) call(1);
    EXPECT_EQ(standin_made(), made);
  });
}

#ifdef STANDIN_CUDA13
// In the mode in which threads begin, a capture forbids everybody's threads to ask for an event, and ends if one does.
TEST(Order, AnotherThreadMayCaptureMeanwhile) {
  std::atomic<bool> capturing{false}, called{false};
  std::atomic<int> prepared{0};
  std::thread user([&] {
    cudaStream_t stream = nullptr;
    cudaGraph_t graph = nullptr;
    ASSERT_EQ(cudaSetDevice(2), face::kSuccess);
    ASSERT_EQ(cudaStreamCreateWithFlags(&stream, 1), face::kSuccess);
    while (prepared < 2) std::this_thread::yield();
    ASSERT_EQ(cudaStreamBeginCapture(stream, 0), face::kSuccess);
    capturing = true;
    wait_for(called);
    EXPECT_EQ(cudaStreamEndCapture(stream, &graph), face::kSuccess);
    capturing = false;
    EXPECT_EQ(cudaStreamDestroy(stream), face::kSuccess);
  });
  rig::run({0, kCpu}, [&](Rank& rank) {
    Buffer data(rank, 4000);
    data.write(Numbers(1000, 1).data(), rank.stream);
    ++prepared;
    wait_for(capturing);
    sum(data, rank.comm, rank.stream);
    if (!rank.on_device()) called = true;  // it has the device's data, so the engine has asked
    while (capturing) std::this_thread::yield();
    EXPECT_EQ(as<std::int32_t>(data.read(rank.stream)), Numbers(1000, 2));
  });
  user.join();
}
#endif

}  // namespace
