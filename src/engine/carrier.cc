#include "engine/carrier.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "reduce/fold.h"

namespace amalgam::engine {
namespace {

constexpr std::uint64_t kTurnElements = 65536;

}  // namespace

Status Carrier::bind(const Request& called, int rank, int ranks) {
  const bool scatters = called.collective == Collective::kReduceScatter;
  type_ = called.type;
  in_ = static_cast<const std::byte*>(called.in);
  out_ = static_cast<std::byte*>(called.out);
  in_count_ = called.count * (scatters ? static_cast<std::uint64_t>(ranks) : 1);
  out_count_ = called.collective == Collective::kReduce && rank != called.root ? 0 : called.count;
  block_count_ = std::max<std::uint64_t>(called.count, 1);
  stride_ = called.stride != 0 ? called.stride : block_count_;
  loaded_ = stored_ = 0;
  const std::size_t bytes = in_count_ * sizeof(float);
  floats_ = reinterpret_cast<float*>(memory_.reserve(bytes));
  if (floats_ == nullptr && bytes != 0)
    return Status(Code::kSystem,
                  fmt::format("no memory for the {} bytes in which AMALGAM_FP32_WIRE carries a call", bytes));
  request_ = called;
  request_.type = DataType::kFloat32;
  request_.stride = 0;
  request_.in = floats_;
  request_.out = floats_ + (scatters ? static_cast<std::uint64_t>(rank) * called.count : 0);
  float scalar = 0;
  reduce::widen(called.type, &scalar, called.scalar.data(), 1);
  request_.scalar = {};
  std::memcpy(request_.scalar.data(), &scalar, sizeof(scalar));
  return {};
}

bool Carrier::load() {
  const std::uint64_t block = loaded_ / block_count_, first = loaded_ % block_count_;
  const std::uint64_t count = std::min({kTurnElements, in_count_ - loaded_, block_count_ - first});
  if (count != 0) reduce::widen(type_, floats_ + loaded_, in_ + (block * stride_ + first) * size_of(type_), count);
  loaded_ += count;
  return loaded_ == in_count_;
}

bool Carrier::store() {
  const std::uint64_t count = std::min(kTurnElements, out_count_ - stored_);
  const float* result = static_cast<const float*>(request_.out) + stored_;
  if (count != 0) reduce::narrow(type_, out_ + stored_ * size_of(type_), result, count);
  stored_ += count;
  return stored_ == out_count_;
}

}  // namespace amalgam::engine
