#include "engine/carrier.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "reduce/fold.h"

namespace amalgam::engine {
namespace {

constexpr std::uint64_t kTurnElements = 65536;
constexpr std::size_t kAlignment = 64;

}  // namespace

Status Carrier::bind(const Request& called, int rank, int ranks) {
  const bool scatters = called.collective == Collective::kReduceScatter;
  type_ = called.type;
  in_ = static_cast<const std::byte*>(called.in);
  out_ = static_cast<std::byte*>(called.out);
  in_count_ = called.count * (scatters ? static_cast<std::uint64_t>(ranks) : 1);
  out_count_ = called.collective == Collective::kReduce && rank != called.root ? 0 : called.count;
  loaded_ = stored_ = 0;
  AMALGAM_TRY(reserve(in_count_));
  request_ = called;
  request_.type = DataType::kFloat32;
  request_.in = floats_;
  request_.out = floats_ + (scatters ? static_cast<std::uint64_t>(rank) * called.count : 0);
  float scalar = 0;
  reduce::widen(called.type, &scalar, called.scalar.data(), 1);
  request_.scalar = {};
  std::memcpy(request_.scalar.data(), &scalar, sizeof(scalar));
  return {};
}

Status Carrier::reserve(std::size_t elements) {
  if (elements <= capacity_) return {};
  const std::size_t bytes = elements * sizeof(float) + kAlignment;
  memory_.reset();  // before the larger one is asked for
  capacity_ = 0;
  memory_.reset(new (std::nothrow) std::byte[bytes]);
  if (!memory_)
    return Status(Code::kSystem,
                  fmt::format("no memory for the {} bytes in which AMALGAM_FP32_WIRE carries a call", bytes));
  const auto address = reinterpret_cast<std::size_t>(memory_.get());
  floats_ = reinterpret_cast<float*>((address + kAlignment - 1) / kAlignment * kAlignment);
  capacity_ = elements;
  return {};
}

bool Carrier::load() {
  const std::uint64_t count = std::min(kTurnElements, in_count_ - loaded_);
  if (count != 0) reduce::widen(type_, floats_ + loaded_, in_ + loaded_ * size_of(type_), count);
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
