#pragma once

// Element types, operations and collectives. Numeric values of DataType and the first five ReduceOp are NCCL's.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace amalgam {

using Bytes = std::span<std::byte>;
using ConstBytes = std::span<const std::byte>;

enum class DataType : std::uint8_t {
  kInt8 = 0,
  kUint8 = 1,
  kInt32 = 2,
  kUint32 = 3,
  kInt64 = 4,
  kUint64 = 5,
  kFloat16 = 6,
  kFloat32 = 7,
  kFloat64 = 8,
  kBfloat16 = 9,
  kFloat8e4m3 = 10,
  kFloat8e5m2 = 11,
};
inline constexpr int kDataTypes = 12;

enum class ReduceOp : std::uint8_t { kSum = 0, kProd = 1, kMax = 2, kMin = 3, kAvg = 4, kPreMulSum = 5 };
inline constexpr int kReduceOps = 6;

enum class Collective : std::uint8_t {
  kAllReduce,
  kReduce,
  kBroadcast,
  kReduceScatter,
  kAllGather,
  kAllToAll,
  kAllToAllV,
  kGather,
  kScatter,
  kSend,
  kRecv,
};
inline constexpr int kCollectives = 11;

constexpr std::size_t size_of(DataType type) {  // bytes of one element
  constexpr std::uint8_t kSizes[kDataTypes] = {1, 1, 4, 4, 8, 8, 2, 4, 8, 2, 1, 1};
  return kSizes[static_cast<std::size_t>(type)];
}
bool is_float(DataType type);             // fp64 … fp8
std::string_view name_of(DataType type);  // "float32", "bfloat16", … (nccl-tests' words: int8 uint8 int32 uint32 int64
                                          // uint64 half float double bfloat16 f8e4m3 f8e5m2)
std::string_view name_of(ReduceOp op);  // sum prod max min avg premulsum
std::string_view name_of(
    Collective what);  // allreduce reduce broadcast reducescatter allgather alltoall alltoallv gather scatter send recv
constexpr bool reduces(Collective what) {
  return what == Collective::kAllReduce || what == Collective::kReduce || what == Collective::kReduceScatter;
}
constexpr bool is_pair(Collective what) { return what == Collective::kSend || what == Collective::kRecv; }

}  // namespace amalgam
