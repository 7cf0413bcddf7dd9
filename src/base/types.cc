#include "base/types.h"

#include <array>

namespace amalgam {
namespace {

constexpr std::array<std::string_view, kDataTypes> kTypeNames = {
    "int8", "uint8", "int32", "uint32", "int64", "uint64", "half", "float", "double", "bfloat16", "f8e4m3", "f8e5m2"};
constexpr std::array<std::string_view, kReduceOps> kOpNames = {"sum", "prod", "max", "min", "avg", "premulsum"};
constexpr std::array<std::string_view, kCollectives> kCollectiveNames = {
    "allreduce", "reduce", "broadcast", "reducescatter", "allgather", "alltoall",
    "alltoallv", "gather", "scatter",   "send",          "recv"};

}  // namespace

bool is_float(DataType type) { return type >= DataType::kFloat16; }

std::string_view name_of(DataType type) { return kTypeNames[static_cast<std::size_t>(type)]; }

std::string_view name_of(ReduceOp op) { return kOpNames[static_cast<std::size_t>(op)]; }

std::string_view name_of(Collective what) { return kCollectiveNames[static_cast<std::size_t>(what)]; }

}  // namespace amalgam
