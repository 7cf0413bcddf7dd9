// Communicators over islands of several ranks: the vendors' libraries work inside, the engine between. Devices of two
// vendors, or of one and CPU ranks, in one process, uneven and in any order.

#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "tests/vendors/cases.h"
#include "tests/vendors/ccl/face.h"
#include "tests/vendors/second.h"

namespace {

using rig::amd;
using rig::as;
using rig::Buffer;
using rig::kCpu;
using rig::Rank;

constexpr std::size_t kSplits = 50'000;  // elements of four bytes from which every collective goes by its islands

const std::vector<rig::Place> kThreeAndTwoCpus = {0, kCpu, 1, 2, kCpu};
const std::vector<rig::Place> kThreeAndTwo = {0, amd(0), 1, amd(1), 2};

template <typename T>
void check_all(const std::vector<std::vector<rig::Place>>& mixtures, const std::vector<std::size_t>& counts) {
  const auto all_cases = rig::cases<T>();
  for (const std::vector<rig::Place>& mixture : mixtures)
    rig::run(mixture, [&](Rank& rank) {
      unsigned seed = 1;
      for (std::size_t count : counts)
        for (const auto& one_case : all_cases) rig::check_case(rank, one_case, count, seed++);
    });
}

TEST(Islands, EveryCollectiveGivesWhatAPlainComputationGives) {
  check_all<std::int32_t>({kThreeAndTwoCpus, {kCpu, 0, 1}}, {1, 100, kSplits});
  check_all<float>({kThreeAndTwoCpus, {kCpu, 0, 1}}, {kSplits + 1, kSplits + 5});  // not a multiple of any island
}

TEST(Islands, CallsOfManyChunks) { check_all<float>({kThreeAndTwoCpus}, {700'003}); }

// A CPU rank cannot live in a process where AMD's runtime was used: it has no notion of a thread's context. So these
// run in a process of their own.
TEST(TwoVendors, EveryCollectiveGivesWhatAPlainComputationGives) {
  const std::vector<std::vector<rig::Place>> mixtures = {
      kThreeAndTwo, {amd(0), amd(1), amd(2), 0, 1}, {0, 1, amd(0)}, {0, amd(0), amd(1)}};
  check_all<std::int32_t>(mixtures, {1, 100, kSplits});
  check_all<float>(mixtures, {kSplits + 1, kSplits + 5});
}

TEST(TwoVendors, CallsOfManyChunks) { check_all<float>({kThreeAndTwo}, {700'003}); }

const standin_ccl::Counters& nvidias() {
  const std::string files = std::getenv("AMALGAM_VENDOR_LIBRARY");
  const std::size_t begin = files.find("nvidia=") + 7;
  void* library = ::dlopen(files.substr(begin, files.find(',') - begin).c_str(), RTLD_LAZY | RTLD_NOLOAD);
  EXPECT_NE(library, nullptr) << files;
  return *reinterpret_cast<const standin_ccl::Counters* (*)()>(::dlsym(library, "standin_ccl_counters"))();
}

std::uint64_t calls_of(standin_ccl::Kind kind) { return nvidias().calls[static_cast<std::size_t>(kind)].load(); }

// A chunk is one reduce-scatter and one all-gather on each rank of the island.
TEST(Islands, AnAllReduceIsTwoCallsOfTheLibraryForEachChunk) {
  using standin_ccl::Kind;
  constexpr std::size_t kCount = 64 * 3 * 8 * 1024;  // 6 MiB: three chunks
  const std::uint64_t scatters = calls_of(Kind::kReduceScatter), gathers = calls_of(Kind::kAllGather);
  rig::run({0, kCpu, 1, 2}, [&](Rank& rank) {
    const std::vector<float> data(kCount, 1);
    Buffer buffer(rank, kCount * sizeof(float));
    buffer.write(data.data(), rank.stream);
    ASSERT_EQ(ncclAllReduce(buffer.at(), buffer.at(), kCount, ncclFloat, ncclSum, rank.comm, rank.stream), ncclSuccess);
    EXPECT_EQ(as<float>(buffer.read(rank.stream)), std::vector<float>(kCount, 4));
  });
  EXPECT_EQ(calls_of(Kind::kReduceScatter) - scatters, 3U * 3U);
  EXPECT_EQ(calls_of(Kind::kAllGather) - gathers, 3U * 3U);
}

TEST(Islands, InPlace) {
  rig::run(kThreeAndTwoCpus, [&](Rank& rank) {
    const auto blocks = static_cast<std::size_t>(rank.ranks), own = static_cast<std::size_t>(rank.rank);
    std::vector<float> data(kSplits * blocks, static_cast<float>(rank.rank + 1));
    Buffer buffer(rank, data.size() * sizeof(float));
    void* part = buffer.at(own * kSplits * sizeof(float));
    buffer.write(data.data(), rank.stream);
    ASSERT_EQ(ncclAllGather(part, buffer.at(), kSplits, ncclFloat, rank.comm, rank.stream), ncclSuccess);
    std::vector<float> got = as<float>(buffer.read(rank.stream));
    for (std::size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i], static_cast<float>(i / kSplits + 1)) << i;
    buffer.write(data.data(), rank.stream);
    ASSERT_EQ(ncclReduceScatter(buffer.at(), part, kSplits, ncclFloat, ncclSum, rank.comm, rank.stream), ncclSuccess);
    got = as<float>(buffer.read(rank.stream));
    for (std::size_t i = 0; i < kSplits; ++i) ASSERT_EQ(got[own * kSplits + i], 15.0F) << i;
    for (int root = 0; root < rank.ranks; ++root) {
      buffer.write(data.data(), rank.stream);
      ASSERT_EQ(ncclReduce(buffer.at(), buffer.at(), kSplits, ncclFloat, ncclSum, root, rank.comm, rank.stream),
                ncclSuccess);
      got = as<float>(buffer.read(rank.stream));
      ASSERT_EQ(got[kSplits - 1], rank.rank == root ? 15.0F : static_cast<float>(rank.rank + 1));
      buffer.write(data.data(), rank.stream);
      ASSERT_EQ(ncclBroadcast(buffer.at(), buffer.at(), kSplits, ncclFloat, root, rank.comm, rank.stream), ncclSuccess);
      got = as<float>(buffer.read(rank.stream));
      ASSERT_EQ(got[kSplits - 1], static_cast<float>(root + 1));
    }
  });
}

// Own scalar per rank, also where the library inside applies it.
TEST(Islands, ScalarsOfRanks) {
  rig::run(kThreeAndTwoCpus, [](Rank& rank) {
    const float factor = static_cast<float>(rank.rank + 2);
    const std::vector<float> threes(kSplits, 3);
    Buffer scalar(rank, sizeof(float)), data(rank, kSplits * sizeof(float));
    for (const bool on_device : {false, true}) {
      ncclRedOp_t op;
      const void* at = on_device ? scalar.at() : &factor;
      ASSERT_EQ(ncclRedOpCreatePreMulSum(&op, const_cast<void*>(at), ncclFloat,
                                         on_device ? ncclScalarDevice : ncclScalarHostImmediate, rank.comm),
                ncclSuccess);
      scalar.write(&factor, rank.stream);
      data.write(threes.data(), rank.stream);
      ASSERT_EQ(ncclAllReduce(data.at(), data.at(), kSplits, ncclFloat, op, rank.comm, rank.stream), ncclSuccess);
      ASSERT_EQ(ncclRedOpDestroy(op, rank.comm), ncclSuccess);
      EXPECT_EQ(as<float>(data.read(rank.stream)), std::vector<float>(kSplits, 3.0F * (2 + 3 + 4 + 5 + 6)));
    }
  });
}

// Small and large calls, messages and two streams in one group.
TEST(Islands, AGroupOfCallsOfAllKinds) {
  rig::run(kThreeAndTwoCpus, [](Rank& rank) {
    cudaStream_t other = nullptr;
    if (rank.on_device()) {
      ASSERT_EQ(rank.place.runtime->create_stream(&other, 1), face::kSuccess);
    }
    const auto next = (rank.rank + 1) % rank.ranks, before = (rank.rank + rank.ranks - 1) % rank.ranks;
    const std::vector<std::int32_t> data(kSplits, rank.rank + 1);
    Buffer large(rank, kSplits * 4), small(rank, 40), second(rank, kSplits * 4), sent(rank, 400), got(rank, 400);
    for (int round = 0; round < 5; ++round) {
      for (Buffer* buffer : {&large, &small, &sent}) buffer->write(data.data(), rank.stream);
      second.write(data.data(), other);
      ASSERT_EQ(ncclGroupStart(), ncclSuccess);
      ASSERT_EQ(ncclSend(sent.at(), 100, ncclInt32, next, rank.comm, rank.stream), ncclSuccess);
      ASSERT_EQ(ncclAllReduce(small.at(), small.at(), 10, ncclInt32, ncclSum, rank.comm, rank.stream), ncclSuccess);
      ASSERT_EQ(ncclAllReduce(large.at(), large.at(), kSplits, ncclInt32, ncclMax, rank.comm, rank.stream),
                ncclSuccess);
      ASSERT_EQ(ncclAllReduce(second.at(), second.at(), kSplits, ncclInt32, ncclMin, rank.comm, other), ncclSuccess);
      ASSERT_EQ(ncclRecv(got.at(), 100, ncclInt32, before, rank.comm, rank.stream), ncclSuccess);
      ASSERT_EQ(ncclGroupEnd(), ncclSuccess) << ncclGetLastError(nullptr);
      EXPECT_EQ(as<std::int32_t>(small.read(rank.stream))[9], 15);
      EXPECT_EQ(as<std::int32_t>(large.read(rank.stream)), std::vector<std::int32_t>(kSplits, 5));
      EXPECT_EQ(as<std::int32_t>(second.read(other)), std::vector<std::int32_t>(kSplits, 1));
      EXPECT_EQ(as<std::int32_t>(got.read(rank.stream))[99], before + 1);
    }
    if (rank.on_device()) {
      EXPECT_EQ(rank.place.runtime->destroy_stream(other), face::kSuccess);
    }
  });
}

// On one stream, calls of two communicators whose libraries' kernels would wait for each other.
TEST(Islands, TwoCommunicatorsInOppositeOrdersInAGroup) {
  ncclUniqueId ids[2];
  for (ncclUniqueId& id : ids) ASSERT_EQ(ncclGetUniqueId(&id), ncclSuccess);
  rig::run({0, 1, kCpu}, [&](Rank& rank) {
    ncclComm_t comms[2];
    for (int c = 0; c < 2; ++c) ASSERT_EQ(ncclCommInitRank(&comms[c], rank.ranks, ids[c], rank.rank), ncclSuccess);
    const std::vector<float> ones(kSplits, 1);
    Buffer a(rank, kSplits * 4), b(rank, kSplits * 4);
    a.write(ones.data(), rank.stream);
    b.write(ones.data(), rank.stream);
    ASSERT_EQ(ncclGroupStart(), ncclSuccess);
    for (int i = 0; i < 2; ++i) {
      const int c = rank.rank == 0 ? i : 1 - i;
      void* data = c == 0 ? a.at() : b.at();
      ASSERT_EQ(ncclAllReduce(data, data, kSplits, ncclFloat, ncclSum, comms[c], rank.stream), ncclSuccess);
    }
    ASSERT_EQ(ncclGroupEnd(), ncclSuccess);
    EXPECT_EQ(as<float>(a.read(rank.stream)), std::vector<float>(kSplits, 3));
    EXPECT_EQ(as<float>(b.read(rank.stream)), std::vector<float>(kSplits, 3));
    for (ncclComm_t comm : comms) EXPECT_EQ(ncclCommDestroy(comm), ncclSuccess);
  });
}

// The streams of ranks 0 and 1 have the library's kernels behind what waits for rank 2, which never calls.
TEST(Islands, AnAbortLetsStreamsGoThatWaitInsideALibrary) {
  std::atomic<int> called{0}, aborted{0};
  rig::run(
      {0, 1, kCpu},
      [&](Rank& rank) {
        if (!rank.on_device()) {
          while (aborted < 2) std::this_thread::yield();
          EXPECT_EQ(ncclCommAbort(rank.comm), ncclSuccess);
          return;
        }
        const std::vector<float> ones(kSplits, 1);
        Buffer data(rank, kSplits * sizeof(float));
        data.write(ones.data(), rank.stream);
        ASSERT_EQ(ncclAllReduce(data.at(), data.at(), kSplits, ncclFloat, ncclSum, rank.comm, rank.stream),
                  ncclSuccess);
        EXPECT_EQ(rank.place.runtime->query(rank.stream), face::kNotReady);
        ++called;
        while (called < 2) std::this_thread::yield();
        std::thread([&] { EXPECT_EQ(ncclCommAbort(rank.comm), ncclSuccess); }).join();
        ++aborted;
        EXPECT_EQ(rank.place.runtime->synchronize(rank.stream), face::kSuccess);  // would hang if anything stayed
      },
      false);
}

// STANDIN_CCL_FAIL_INIT: the library fails on one rank, while the others wait inside its init.
TEST(BrokenLibrary, ItsIslandGoesWithout) {
  const auto all_cases = rig::cases<float>();
  for (const std::vector<rig::Place>& mixture : {std::vector<rig::Place>{0, 1, kCpu}, std::vector<rig::Place>{0, 1, 2}})
    rig::run(mixture, [&](Rank& rank) {
      unsigned seed = 1;
      for (const auto& one_case : all_cases) rig::check_case(rank, one_case, kSplits, seed++);
    });
  EXPECT_EQ(calls_of(standin_ccl::Kind::kReduceScatter), 0U);
}

}  // namespace
