// The stand-in of NCCL alone, on the stand-in runtime: what it gives, whom it refuses, what it parks and what lets it
// go.

#include <atomic>
#include <memory>
#include <string>

#include "tests/vendors/cases.h"
#include "tests/vendors/ccl/face.h"

namespace {

using rig::as;
using rig::Buffer;
using rig::Rank;

TEST(Ccl, EveryCollectiveGivesWhatAPlainComputationGives) {
  const auto integers = rig::cases<std::int32_t>();
  const auto floats = rig::cases<float>();
  rig::run({0, 1, 2, 3}, [&](Rank& rank) {
    unsigned seed = 1;
    for (std::size_t count : {1, 999, 0})
      for (const auto& one_case : integers) rig::check_case(rank, one_case, count, seed++);
    for (const auto& one_case : floats) rig::check_case(rank, one_case, 70001, seed++);
  });
}

// The bytes of a small integer.
std::vector<unsigned char> encode(int type, int value) {
  const auto bytes = [](auto typed) {
    std::vector<unsigned char> made(sizeof(typed));
    std::memcpy(made.data(), &typed, sizeof(typed));
    return made;
  };
  const auto single = static_cast<float>(value);
  switch (type) {
    case ncclInt8:
    case ncclUint8: return bytes(static_cast<std::int8_t>(value));
    case ncclInt32:
    case ncclUint32: return bytes(static_cast<std::int32_t>(value));
    case ncclInt64:
    case ncclUint64: return bytes(static_cast<std::int64_t>(value));
    case ncclFloat32: return bytes(single);
    case ncclFloat64: return bytes(static_cast<double>(value));
    default: break;
  }
  std::uint32_t bits;
  std::memcpy(&bits, &single, sizeof(bits));
  if (type == ncclFloat8e4m3) return bytes(static_cast<std::uint8_t>((bits >> 20) - (120U << 3)));
  if (type == ncclBfloat16) return bytes(static_cast<std::uint16_t>(bits >> 16));
  return bytes(static_cast<std::uint16_t>((bits >> 13) - (112U << 10)));  // half, of a normal number
}

std::vector<unsigned char> encode_all(int type, const std::vector<int>& values) {
  std::vector<unsigned char> made;
  for (int value : values) {
    const auto one = encode(type, value);
    made.insert(made.end(), one.begin(), one.end());
  }
  return made;
}

TEST(Ccl, EveryTypeAndOperation) {
  // By element, of the ranks' values r + 1, r + 2, r + 3.
  const std::vector<std::vector<int>> expected = {{6, 9, 12}, {6, 24, 60}, {3, 4, 5}, {1, 2, 3}, {2, 3, 4}};
  rig::run({0, 1, 2}, [&](Rank& rank) {
    for (int type = 0; type <= ncclFloat8e4m3; ++type)
      for (int op = 0; op < ncclNumOps; ++op) {
        const auto mine = encode_all(type, {rank.rank + 1, rank.rank + 2, rank.rank + 3});
        Buffer data(rank, mine.size());
        data.write(mine.data(), rank.stream);
        ASSERT_EQ(ncclAllReduce(data.at(), data.at(), 3, static_cast<ncclDataType_t>(type),
                                static_cast<ncclRedOp_t>(op), rank.comm, rank.stream),
                  ncclSuccess);
        EXPECT_EQ(data.read(rank.stream), encode_all(type, expected[static_cast<std::size_t>(op)]))
            << "type " << type << ", op " << op;
      }
  });
}

TEST(Ccl, Fp8SumsRoundToEvenSaturateAndKeepNan) {
  // In E5M2: 5 + 4 is a tie, which goes to 8; the largest twice; NaN; the smallest twice; 1 and its negative.
  const std::vector<unsigned char> first = {0x45, 0x7b, 0x7f, 0x01, 0x3c}, second = {0x44, 0x7b, 0x3c, 0x01, 0xbc};
  rig::run({0, 1}, [&](Rank& rank) {
    Buffer data(rank, first.size());
    data.write((rank.rank == 0 ? first : second).data(), rank.stream);
    ASSERT_EQ(ncclAllReduce(data.at(), data.at(), first.size(), ncclFloat8e5m2, ncclSum, rank.comm, rank.stream),
              ncclSuccess);
    EXPECT_EQ(data.read(rank.stream), (std::vector<unsigned char>{0x48, 0x7b, 0x7f, 0x02, 0x00}));
  });
}

TEST(Ccl, AScalarOfEachRankFromTheHostAndFromTheDevice) {
  rig::run({0, 1}, [](Rank& rank) {
    const float factor = static_cast<float>(rank.rank + 2), value = 3;
    Buffer scalar(rank, sizeof(float)), data(rank, sizeof(float));
    scalar.write(&factor, rank.stream);
    for (const bool device : {false, true}) {
      data.write(&value, rank.stream);
      ncclRedOp_t op;
      float host = factor;
      ASSERT_EQ(ncclRedOpCreatePreMulSum(&op, device ? scalar.at() : &host, ncclFloat,
                                         device ? ncclScalarDevice : ncclScalarHostImmediate, rank.comm),
                ncclSuccess);
      host = 100;
      ASSERT_EQ(ncclAllReduce(data.at(), data.at(), 1, ncclFloat, op, rank.comm, rank.stream), ncclSuccess);
      EXPECT_EQ(as<float>(data.read(rank.stream))[0], 15.0F);
      ASSERT_EQ(ncclRedOpDestroy(op, rank.comm), ncclSuccess);
      EXPECT_EQ(ncclAllReduce(data.at(), data.at(), 1, ncclFloat, op, rank.comm, rank.stream), ncclInvalidArgument);
    }
  });
}

// 64 MiB and an odd rest, through slots of 64 KiB.
TEST(Ccl, ALargeCallInBoundedMemory) {
  constexpr std::size_t kBytes = (std::size_t{64} << 20) + 3;
  rig::run({0, 1}, [](Rank& rank) {
    std::vector<unsigned char> bytes(kBytes);
    for (std::size_t i = 0; i < kBytes; ++i) bytes[i] = static_cast<unsigned char>(i * 2654435761U >> 13);
    Buffer in(rank, kBytes), out(rank, kBytes);
    in.write(bytes.data(), rank.stream);
    ASSERT_EQ(ncclBroadcast(in.at(), out.at(), kBytes, ncclUint8, 1, rank.comm, rank.stream), ncclSuccess);
    EXPECT_TRUE(out.read(rank.stream) == bytes);
  });
}

TEST(Ccl, MessagesOfAGroupInOppositeOrdersAndToOneself) {
  constexpr std::size_t kCount = 50001;
  rig::run({0, 1, 2, 3}, [&](Rank& rank) {
    std::vector<std::unique_ptr<Buffer>> send, receive;
    for (int r = 0; r < rank.ranks; ++r) {
      send.push_back(std::make_unique<Buffer>(rank, kCount * sizeof(std::int32_t)));
      receive.push_back(std::make_unique<Buffer>(rank, kCount * sizeof(std::int32_t)));
      const std::vector<std::int32_t> data(kCount, rank.rank * 10 + r);
      send.back()->write(data.data(), rank.stream);
    }
    ASSERT_EQ(ncclGroupStart(), ncclSuccess);
    for (std::size_t i = 0; i < send.size(); ++i) {
      const std::size_t to = rank.rank % 2 == 0 ? i : send.size() - 1 - i, from = send.size() - 1 - to;
      ASSERT_EQ(ncclSend(send[to]->at(), kCount, ncclInt32, static_cast<int>(to), rank.comm, rank.stream), ncclSuccess);
      ASSERT_EQ(ncclRecv(receive[from]->at(), kCount, ncclInt32, static_cast<int>(from), rank.comm, rank.stream),
                ncclSuccess);
    }
    ASSERT_EQ(ncclGroupEnd(), ncclSuccess);
    for (int r = 0; r < rank.ranks; ++r)
      EXPECT_EQ(as<std::int32_t>(receive[static_cast<std::size_t>(r)]->read(rank.stream)),
                std::vector<std::int32_t>(kCount, r * 10 + rank.rank));
  });
}

// Rank 0's first call waits for its stream; the second, in another stream, was issued later and must wait for it.
TEST(Ccl, TheOrderOfIssueIsTheOrderOfExecutionAcrossStreams) {
  rig::run({0, 1}, [](Rank& rank) {
    void* flag = nullptr;
    cudaStream_t second = nullptr, third = nullptr;
    ASSERT_EQ(cudaHostAlloc(&flag, sizeof(std::uint32_t), 0), face::kSuccess);
    auto* raised = new (flag) std::atomic<std::uint32_t>(rank.rank == 0 ? 0 : 1);
    ASSERT_EQ(cudaStreamCreateWithFlags(&second, 1), face::kSuccess);
    ASSERT_EQ(cudaStreamCreateWithFlags(&third, 1), face::kSuccess);
    const std::int32_t values[] = {1, 2};
    Buffer data(rank, sizeof(values)), other(rank, sizeof(std::int32_t));
    data.write(values, rank.stream);
    ASSERT_EQ(cudaStreamSynchronize(rank.stream), face::kSuccess);
    ASSERT_EQ(standin_launch_spin(static_cast<const std::uint32_t*>(flag), rank.stream), face::kSuccess);
    ASSERT_EQ(ncclAllReduce(data.at(), data.at(), 1, ncclInt32, ncclSum, rank.comm, rank.stream), ncclSuccess);
    ASSERT_EQ(ncclAllReduce(data.at(4), data.at(4), 1, ncclInt32, ncclSum, rank.comm, second), ncclSuccess);
    if (rank.rank == 0) {
      other.write(values, third);
      ASSERT_EQ(cudaStreamSynchronize(third), face::kSuccess);
      EXPECT_EQ(cudaStreamQuery(second), face::kNotReady);
      raised->store(1);
    }
    ASSERT_EQ(cudaStreamSynchronize(second), face::kSuccess);
    EXPECT_EQ(as<std::int32_t>(data.read(rank.stream)), (std::vector<std::int32_t>{2, 4}));
    EXPECT_EQ(cudaStreamDestroy(second), face::kSuccess);
    EXPECT_EQ(cudaStreamDestroy(third), face::kSuccess);
    EXPECT_EQ(cudaFreeHost(flag), face::kSuccess);
  });
}

// A rank that never comes parks the stream, not the copies of others; an abort from another thread lets it go.
TEST(Ccl, ARankThatNeverComesParksTheStreamUntilAnAbort) {
  rig::run(
      {0, 1},
      [](Rank& rank) {
        if (rank.rank == 1) return void(ncclCommAbort(rank.comm));
        cudaStream_t copies = nullptr;
        ASSERT_EQ(cudaStreamCreateWithFlags(&copies, 1), face::kSuccess);
        const float value = 7;
        Buffer data(rank, sizeof(float)), other(rank, sizeof(float));
        data.write(&value, rank.stream);
        ASSERT_EQ(ncclAllReduce(data.at(), data.at(), 1, ncclFloat, ncclSum, rank.comm, rank.stream), ncclSuccess);
        other.write(&value, copies);
        EXPECT_EQ(as<float>(other.read(copies))[0], 7.0F);
        EXPECT_EQ(cudaStreamQuery(rank.stream), face::kNotReady);
        const std::uint64_t before = standin_ccl_counters()->aborted;
        std::thread([&] { EXPECT_EQ(ncclCommAbort(rank.comm), ncclSuccess); }).join();
        EXPECT_GT(standin_ccl_counters()->aborted, before);
        EXPECT_EQ(cudaStreamSynchronize(rank.stream), face::kSuccess);
        EXPECT_EQ(cudaStreamDestroy(copies), face::kSuccess);
      },
      false);
}

}  // namespace
