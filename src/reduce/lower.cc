// From what a call asks for (avg, premulsum, …) to what the kernels do (sum with scales).

#include <cstring>

#include "reduce/elements.h"
#include "reduce/fold.h"

namespace amalgam::reduce {
namespace {

template <typename Format>
typename Format::Stored read(const void* scalar) {
  typename Format::Stored value;
  std::memcpy(&value, scalar, sizeof(value));
  return value;
}

template <typename Format>
Scale multiply_by(const void* scalar) {
  Scale scale;
  scale.kind = Scale::Kind::kMultiply;
  if constexpr (Format::kFloat) {
    scale.real = Format::widen(read<Format>(scalar));
  } else {
    scale.integer = static_cast<std::int64_t>(read<Format>(scalar));  // NOLINT(bugprone-signed-char-misuse): a number
  }
  return scale;
}

Scale multiply_by(DataType type, const void* scalar) {
  switch (type) {
    case DataType::kInt8: return multiply_by<IntegerFormat<std::int8_t>>(scalar);
    case DataType::kUint8: return multiply_by<IntegerFormat<std::uint8_t>>(scalar);
    case DataType::kInt32: return multiply_by<IntegerFormat<std::int32_t>>(scalar);
    case DataType::kUint32: return multiply_by<IntegerFormat<std::uint32_t>>(scalar);
    case DataType::kInt64: return multiply_by<IntegerFormat<std::int64_t>>(scalar);
    case DataType::kUint64: return multiply_by<IntegerFormat<std::uint64_t>>(scalar);
    case DataType::kFloat16: return multiply_by<Float16Format>(scalar);
    case DataType::kFloat32: return multiply_by<Float32Format>(scalar);
    case DataType::kFloat64: return multiply_by<Float64Format>(scalar);
    case DataType::kBfloat16: return multiply_by<Bfloat16Format>(scalar);
    case DataType::kFloat8e4m3: return multiply_by<Float8e4m3Format>(scalar);
    case DataType::kFloat8e5m2: return multiply_by<Float8e5m2Format>(scalar);
  }
  return {};
}

}  // namespace

bool narrow_float(DataType type) {
  return type == DataType::kFloat16 || type == DataType::kBfloat16 || type == DataType::kFloat8e4m3 ||
         type == DataType::kFloat8e5m2;
}

Reduction lower(DataType type, ReduceOp op, int ranks, bool wide, const void* scalar) {
  Reduction reduction;
  reduction.type = type;
  reduction.op = op;
  if (op == ReduceOp::kPreMulSum) {
    reduction.op = ReduceOp::kSum;
    reduction.pre = multiply_by(type, scalar);
  } else if (op == ReduceOp::kAvg) {
    reduction.op = ReduceOp::kSum;
    const Scale divide{Scale::Kind::kDivide, static_cast<double>(ranks), ranks};
    if (ranks > 1) (narrow_float(type) && !wide ? reduction.pre : reduction.post) = divide;
  }
  return reduction;
}

}  // namespace amalgam::reduce
