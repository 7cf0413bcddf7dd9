// Kernels in plain C++, one element after the other: every machine has them, and they are what the others are compared
// with.

#include <cstring>

#include "reduce/elements.h"
#include "reduce/kernels.h"

namespace amalgam::reduce {
namespace {

template <typename Format>
typename Format::Wide load(const void* base, std::size_t index) {
  typename Format::Stored value;
  std::memcpy(&value, static_cast<const char*>(base) + index * sizeof(value), sizeof(value));
  return Format::widen(value);
}

template <typename Format>
void store(void* base, std::size_t index, typename Format::Wide wide) {
  const typename Format::Stored value = Format::narrow(wide);
  std::memcpy(static_cast<char*>(base) + index * sizeof(value), &value, sizeof(value));
}

// min and max take the stored bits through unchanged: no conversion may touch them (fp8 would saturate an infinity).
template <typename Format, ReduceOp kOp>
constexpr bool kSelects = Format::kFloat && sizeof(typename Format::Stored) == 1 &&
                          (kOp == ReduceOp::kMin || kOp == ReduceOp::kMax);

template <typename Format, ReduceOp kOp>
void select(void* dst, const void* const* operands, std::size_t operand_count, std::size_t begin, std::size_t count) {
  using Stored = typename Format::Stored;
  for (std::size_t i = begin; i < count; ++i) {
    Stored chosen = static_cast<const Stored*>(operands[0])[i];
    for (std::size_t j = 1; j < operand_count; ++j) {
      const Stored other = static_cast<const Stored*>(operands[j])[i];
      const float left = Format::widen(chosen), right = Format::widen(other);
      const bool keep =
          right != right || (left == left && (order_key(left) < order_key(right)) == (kOp == ReduceOp::kMin));
      if (!keep) chosen = other;
    }
    const float wide = Format::widen(chosen);
    static_cast<Stored*>(dst)[i] = wide == wide ? chosen : Format::narrow(wide);
  }
}

template <typename Format, ReduceOp kOp>
void fold_plain(void* dst, const void* const* operands, std::size_t operand_count, std::size_t begin,
                std::size_t count) {
  if constexpr (kSelects<Format, kOp>) return select<Format, kOp>(dst, operands, operand_count, begin, count);
  for (std::size_t i = begin; i < count; ++i) {
    auto sum = load<Format>(operands[0], i);
    for (std::size_t j = 1; j < operand_count; ++j) sum = combine<kOp>(sum, load<Format>(operands[j], i));
    store<Format>(dst, i, sum);
  }
}

template <typename Format, ReduceOp kOp>
void fold_scaled(const Scaling& scaling, void* dst, const void* const* operands, std::size_t operand_count,
                 std::size_t begin, std::size_t count) {
  const auto operand = [&](std::size_t j, std::size_t i) {
    const auto value = load<Format>(operands[j], i);
    if (static_cast<int>(j) != scaling.own || scaling.pre.kind == Scale::Kind::kNone) return value;
    return Format::widen(Format::narrow(scale_wide<Format>(value, scaling.pre)));
  };
  for (std::size_t i = begin; i < count; ++i) {
    auto sum = operand(0, i);
    for (std::size_t j = 1; j < operand_count; ++j) sum = combine<kOp>(sum, operand(j, i));
    store<Format>(dst, i, scale_wide<Format>(sum, scaling.post));
  }
}

template <typename From, typename To>
void convert(void* dst, const void* src, std::size_t begin, std::size_t count) {
  for (std::size_t i = begin; i < count; ++i) store<To>(dst, i, load<From>(src, i));
}

// Rows in the order of DataType, columns in the order of ReduceOp.
#define AMALGAM_ROW(kernel, format)                                                                  \
  {                                                                                                  \
    kernel<format, ReduceOp::kSum>, kernel<format, ReduceOp::kProd>, kernel<format, ReduceOp::kMax>, \
        kernel<format, ReduceOp::kMin>                                                               \
  }
#define AMALGAM_TABLE(kernel)                                                                                       \
  {                                                                                                                 \
    AMALGAM_ROW(kernel, IntegerFormat<std::int8_t>), AMALGAM_ROW(kernel, IntegerFormat<std::uint8_t>),              \
        AMALGAM_ROW(kernel, IntegerFormat<std::int32_t>), AMALGAM_ROW(kernel, IntegerFormat<std::uint32_t>),        \
        AMALGAM_ROW(kernel, IntegerFormat<std::int64_t>), AMALGAM_ROW(kernel, IntegerFormat<std::uint64_t>),        \
        AMALGAM_ROW(kernel, Float16Format), AMALGAM_ROW(kernel, Float32Format), AMALGAM_ROW(kernel, Float64Format), \
        AMALGAM_ROW(kernel, Bfloat16Format), AMALGAM_ROW(kernel, Float8e4m3Format),                                 \
        AMALGAM_ROW(kernel, Float8e5m2Format)                                                                       \
  }

template <typename Format>
constexpr ConvertKernel kWiden = convert<Format, Float32Format>;
template <typename Format>
constexpr ConvertKernel kNarrow = convert<Float32Format, Format>;

#define AMALGAM_CONVERSIONS(kernel)                                                                \
  {                                                                                                \
    nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, kernel<Float16Format>, nullptr, nullptr, \
        kernel<Bfloat16Format>, kernel<Float8e4m3Format>, kernel<Float8e5m2Format>                 \
  }

}  // namespace

const Kernels kScalarKernels = {"scalar", AMALGAM_TABLE(fold_plain), AMALGAM_TABLE(fold_scaled),
                                AMALGAM_CONVERSIONS(kWiden), AMALGAM_CONVERSIONS(kNarrow)};

}  // namespace amalgam::reduce
