// Vector kernels over the formats of vector_formats-inl.h. The including unit names its table by AMALGAM_KERNELS and
// AMALGAM_TARGET_NAME. One pass over all operands: each is read once, the result is written once. The last elements,
// which do not fill a block, are moved through a block on the stack, so that nothing outside the operands is touched.

#include <cstring>
#include <type_traits>

#include "reduce/vector_formats-inl.h"

namespace amalgam::reduce {
namespace {

template <typename V>
HWY_INLINE V multiply(V a, V b) {
  using T = hn::TFromV<V>;
  if constexpr (sizeof(T) == 1) {  // no byte multiply: even and odd bytes in 16-bit lanes
    const hn::Repartition<std::uint16_t, hn::DFromV<V>> d;
    const auto x = hn::BitCast(d, a), y = hn::BitCast(d, b);
    const auto low = hn::Set(d, 0x00ff), high = hn::Set(d, 0xff00);
    const auto odd = hn::Mul(hn::ShiftRight<8>(x), hn::And(y, high));
    return hn::BitCast(hn::DFromV<V>(), hn::Or(hn::And(hn::Mul(x, y), low), odd));
  } else {
    return hn::Mul(a, b);
  }
}

template <ReduceOp kOp, typename V>
HWY_INLINE V combine(V a, V b) {
  if constexpr (kOp == ReduceOp::kSum) return hn::Add(a, b);
  if constexpr (kOp == ReduceOp::kProd) return multiply(a, b);
  if constexpr (kOp == ReduceOp::kMax) return hn::Max(a, b);
  if constexpr (kOp == ReduceOp::kMin) return hn::Min(a, b);
}
template <ReduceOp kOp>
HWY_INLINE Pair combine(Pair a, Pair b) {
  return {combine<kOp>(a.first, b.first), combine<kOp>(a.second, b.second)};
}

// The first `count` < kBlock elements at `i`; the rest of the block is zero.
template <typename Format>
HWY_INLINE typename Format::Wide load_part(const void* base, std::size_t i, std::size_t count) {
  using T = typename Format::Stored;
  alignas(64) T block[Format::kBlock];
#if HWY_TARGET <= HWY_AVX3  // masks do not touch what they leave out
  const hn::CappedTag<std::uint8_t, sizeof(block)> d;
  const auto bytes = hn::MaskedLoad(hn::FirstN(d, count * sizeof(T)), d, at<std::uint8_t>(at<T>(base, i), 0));
  hn::Store(bytes, d, reinterpret_cast<std::uint8_t*>(block));
#else
  std::memset(block, 0, sizeof(block));
  std::memcpy(block, at<T>(base, i), count * sizeof(T));
#endif
  return Format::load(block, 0);
}

template <typename Format>
HWY_INLINE void store_part(typename Format::Wide value, void* base, std::size_t i, std::size_t count) {
  using T = typename Format::Stored;
  alignas(64) T block[Format::kBlock];
  Format::store(value, block, 0);
#if HWY_TARGET <= HWY_AVX3
  const hn::CappedTag<std::uint8_t, sizeof(block)> d;
  const auto bytes = hn::Load(d, reinterpret_cast<const std::uint8_t*>(block));
  hn::BlendedStore(bytes, hn::FirstN(d, count * sizeof(T)), d, at<std::uint8_t>(at<T>(base, i), 0));
#else
  std::memcpy(at<T>(base, i), block, count * sizeof(T));
#endif
}

template <typename Format, ReduceOp kOp>
void fold_part(void* dst, const void* const* operands, std::size_t operand_count, std::size_t i, std::size_t count) {
  auto sum = load_part<Format>(operands[0], i, count);
  for (std::size_t j = 1; j < operand_count; ++j) sum = combine<kOp>(sum, load_part<Format>(operands[j], i, count));
  store_part<Format>(sum, dst, i, count);
}

template <typename Format, ReduceOp kOp>
std::size_t fold_two(void* dst, const void* x, const void* y, std::size_t i, std::size_t count) {
  constexpr std::size_t kBlock = Format::kBlock;
  const auto one = [&](std::size_t e) HWY_ATTR { return combine<kOp>(Format::load(x, e), Format::load(y, e)); };
  for (; i + 4 * kBlock <= count; i += 4 * kBlock) {
    const auto a = one(i), b = one(i + kBlock), c = one(i + 2 * kBlock), d = one(i + 3 * kBlock);
    Format::store(a, dst, i);
    Format::store(b, dst, i + kBlock);
    Format::store(c, dst, i + 2 * kBlock);
    Format::store(d, dst, i + 3 * kBlock);
  }
  for (; i + kBlock <= count; i += kBlock) Format::store(one(i), dst, i);
  return i;
}

template <typename Format, ReduceOp kOp>
std::size_t fold_many(void* dst, const void* const* operands, std::size_t operand_count, std::size_t i,
                      std::size_t count) {
  constexpr std::size_t kBlock = Format::kBlock;
  for (; i + 4 * kBlock <= count; i += 4 * kBlock) {
    auto a = Format::load(operands[0], i), b = Format::load(operands[0], i + kBlock);
    auto c = Format::load(operands[0], i + 2 * kBlock), d = Format::load(operands[0], i + 3 * kBlock);
    for (std::size_t j = 1; j < operand_count; ++j) {
      const void* x = operands[j];
      a = combine<kOp>(a, Format::load(x, i));
      b = combine<kOp>(b, Format::load(x, i + kBlock));
      c = combine<kOp>(c, Format::load(x, i + 2 * kBlock));
      d = combine<kOp>(d, Format::load(x, i + 3 * kBlock));
    }
    Format::store(a, dst, i);
    Format::store(b, dst, i + kBlock);
    Format::store(c, dst, i + 2 * kBlock);
    Format::store(d, dst, i + 3 * kBlock);
  }
  for (; i + kBlock <= count; i += kBlock) {
    auto a = Format::load(operands[0], i);
    for (std::size_t j = 1; j < operand_count; ++j) a = combine<kOp>(a, Format::load(operands[j], i));
    Format::store(a, dst, i);
  }
  return i;
}

template <typename Format, ReduceOp kOp>
void fold_vectors(void* dst, const void* const* operands, std::size_t operand_count, std::size_t begin,
                  std::size_t count) {
  std::size_t i = begin;
  if (count - begin >= Format::kBlock) {
    i = operand_count == 2 ? fold_two<Format, kOp>(dst, operands[0], operands[1], begin, count)
                           : fold_many<Format, kOp>(dst, operands, operand_count, begin, count);
  }
  if (i < count) fold_part<Format, kOp>(dst, operands, operand_count, i, count - i);
}

// Float scales, in the wide form.
template <typename V, typename T>
HWY_INLINE V scaled(V value, Scale::Kind kind, T real) {
  const auto factor = hn::Set(hn::DFromV<V>(), real);
  return kind == Scale::Kind::kMultiply ? hn::Mul(value, factor) : hn::Div(value, factor);
}
template <typename T>
HWY_INLINE Pair scaled(Pair value, Scale::Kind kind, T real) {
  return {scaled(value.first, kind, real), scaled(value.second, kind, real)};
}

template <typename Format>
using Real = std::conditional_t<Format::kType == DataType::kFloat64, double, float>;

// One block's sum with scales; load(operand) reads the block.
template <typename Format, typename Load>
HWY_INLINE typename Format::Wide scaled_sum(const Scaling& scaling, const void* const* operands,
                                            std::size_t operand_count, const Load& load) {
  const int own = scaling.pre.kind == Scale::Kind::kNone ? -1 : scaling.own;
  const auto operand = [&](std::size_t j) HWY_ATTR {
    const auto value = load(operands[j]);
    if (static_cast<int>(j) != own) return value;
    return Format::rounded(scaled(value, scaling.pre.kind, static_cast<Real<Format>>(scaling.pre.real)));
  };
  auto sum = operand(0);
  for (std::size_t j = 1; j < operand_count; ++j) sum = combine<ReduceOp::kSum>(sum, operand(j));
  if (scaling.post.kind == Scale::Kind::kNone) return sum;
  return scaled(sum, scaling.post.kind, static_cast<Real<Format>>(scaling.post.real));
}

template <typename Format>
void sum_scaled(const Scaling& scaling, void* dst, const void* const* operands, std::size_t operand_count,
                std::size_t begin, std::size_t count) {
  std::size_t i = begin;
  const auto load = [&](const void* x) HWY_ATTR { return Format::load(x, i); };
  for (; i + Format::kBlock <= count; i += Format::kBlock) {
    Format::store(scaled_sum<Format>(scaling, operands, operand_count, load), dst, i);
  }
  if (i == count) return;
  const std::size_t rest = count - i;
  const auto load_rest = [&](const void* x) HWY_ATTR { return load_part<Format>(x, i, rest); };
  store_part<Format>(scaled_sum<Format>(scaling, operands, operand_count, load_rest), dst, i, rest);
}

// Quotients of one block, toward zero. A float (8 bits) or a double (32 bits) quotient never rounds up to the next
// integer.
template <typename T, std::size_t kBlock>
void divide_block(T* values, std::int64_t divisor) {
  if constexpr (sizeof(T) == 8) {
    for (std::size_t e = 0; e < kBlock; ++e) values[e] /= static_cast<T>(divisor);
  } else {
    using Quotient = std::conditional_t<sizeof(T) == 1, float, double>;
    const Quotient real = static_cast<Quotient>(divisor);
    for (std::size_t e = 0; e < kBlock; ++e) values[e] = static_cast<T>(static_cast<Quotient>(values[e]) / real);
  }
}

template <typename Format>
HWY_INLINE typename Format::Wide scaled_integers(typename Format::Wide value, const Scale& scale) {
  using T = typename Format::Stored;
  if (scale.kind == Scale::Kind::kNone) return value;
  if (scale.kind == Scale::Kind::kMultiply) {
    const hn::RebindToUnsigned<typename Format::D> d;
    const auto factor = hn::Set(d, static_cast<hn::TFromD<decltype(d)>>(scale.integer));
    return hn::BitCast(typename Format::D(), multiply(hn::BitCast(d, value), factor));
  }
  alignas(64) T block[Format::kBlock];
  Format::store(value, block, 0);
  divide_block<T, Format::kBlock>(block, scale.integer);
  return Format::load(block, 0);
}

template <typename Format>
void sum_scaled_integers(const Scaling& scaling, void* dst, const void* const* operands, std::size_t operand_count,
                         std::size_t begin, std::size_t count) {
  // Divisors whose quotients need care (none, -1, beyond 32 bits) are left to the scalar kernel: no plan uses them.
  const auto plain = [](const Scale& s) {
    return s.kind != Scale::Kind::kDivide || (s.integer > 0 && s.integer <= INT32_MAX);
  };
  std::size_t i = begin;
  if (plain(scaling.pre) && plain(scaling.post)) {
    for (; i + Format::kBlock <= count; i += Format::kBlock) {
      typename Format::Wide sum = hn::Zero(typename Format::D());
      for (std::size_t j = 0; j < operand_count; ++j) {
        const auto value = Format::load(operands[j], i);
        sum = hn::Add(sum, static_cast<int>(j) == scaling.own ? scaled_integers<Format>(value, scaling.pre) : value);
      }
      Format::store(scaled_integers<Format>(sum, scaling.post), dst, i);
    }
  }
  const ScaledFoldKernel rest = kScalarKernels.scaled[static_cast<int>(Format::kType)][0];
  if (i < count) rest(scaling, dst, operands, operand_count, i, count);
}

// Only sums are scaled by any plan; a scaled prod, max or min is correct but not fast.
template <DataType kType, ReduceOp kOp>
void scaled_by_scalar(const Scaling& scaling, void* dst, const void* const* operands, std::size_t operand_count,
                      std::size_t begin, std::size_t count) {
  const ScaledFoldKernel kernel = kScalarKernels.scaled[static_cast<int>(kType)][static_cast<int>(kOp)];
  kernel(scaling, dst, operands, operand_count, begin, count);
}

// Conversions; the last elements are left to the scalar kernels.
template <typename Format>
void widen_vectors(void* dst, const void* src, std::size_t begin, std::size_t count) {
  std::size_t i = begin;
  for (; i + Format::kBlock <= count; i += Format::kBlock)
    Format::store_floats(canonical(Format::load(src, i)), at<float>(dst, i));
  kScalarKernels.widen[static_cast<int>(Format::kType)](dst, src, i, count);
}
template <typename Format>
void narrow_vectors(void* dst, const void* src, std::size_t begin, std::size_t count) {
  std::size_t i = begin;
  for (; i + Format::kBlock <= count; i += Format::kBlock)
    Format::store(Format::load_floats(at<float>(src, i)), dst, i);
  kScalarKernels.narrow[static_cast<int>(Format::kType)](dst, src, i, count);
}

using Int8s = Integers<DataType::kInt8, std::int8_t>;
using Uint8s = Integers<DataType::kUint8, std::uint8_t>;
using Int32s = Integers<DataType::kInt32, std::int32_t>;
using Uint32s = Integers<DataType::kUint32, std::uint32_t>;
using Int64s = Integers<DataType::kInt64, std::int64_t>;
using Uint64s = Integers<DataType::kUint64, std::uint64_t>;
using Float32s = Floats<DataType::kFloat32, float>;
using Float64s = Floats<DataType::kFloat64, double>;
template <bool kMinimum>
using Order16 = Ordered<DataType::kFloat16, std::int16_t, 0x7c00, 0x7e00, kMinimum>;
template <bool kMinimum>
using Order32 = Ordered<DataType::kFloat32, std::int32_t, 0x7f800000, 0x7fc00000, kMinimum>;
template <bool kMinimum>
using Order64 = Ordered<DataType::kFloat64, std::int64_t, 0x7ff0000000000000, 0x7ff8000000000000, kMinimum>;
template <bool kMinimum>
using OrderBf16 = Ordered<DataType::kBfloat16, std::int16_t, 0x7f80, 0x7fc0, kMinimum>;
template <bool kMinimum>
using OrderE4m3 = Ordered<DataType::kFloat8e4m3, std::int8_t, 0x7e, 0x7f, kMinimum>;
template <bool kMinimum>
using OrderE5m2 = Ordered<DataType::kFloat8e5m2, std::int8_t, 0x7c, 0x7e, kMinimum>;

// Rows in the order of DataType, columns in the order of ReduceOp.
#define AMALGAM_ROW(Format, MaxFormat, MinFormat)                                        \
  {                                                                                      \
    fold_vectors<Format, ReduceOp::kSum>, fold_vectors<Format, ReduceOp::kProd>,         \
        fold_vectors<MaxFormat, ReduceOp::kMax>, fold_vectors<MinFormat, ReduceOp::kMin> \
  }
#define AMALGAM_SCALED_ROW(sum, Format)                                                                             \
  {                                                                                                                 \
    sum<Format>, scaled_by_scalar<Format::kType, ReduceOp::kProd>, scaled_by_scalar<Format::kType, ReduceOp::kMax>, \
        scaled_by_scalar<Format::kType, ReduceOp::kMin>                                                             \
  }

#define AMALGAM_CONVERSIONS(kernel)                                                                              \
  {                                                                                                              \
    nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, kernel<Float16s>, nullptr, nullptr, kernel<Bfloat16s>, \
        kernel<Float8e4m3s>, kernel<Float8e5m2s>                                                                 \
  }

}  // namespace

// NOLINTNEXTLINE(misc-definitions-in-headers): included once, with another name each time
const Kernels AMALGAM_KERNELS = {
    AMALGAM_TARGET_NAME,
    {AMALGAM_ROW(Int8s, Int8s, Int8s), AMALGAM_ROW(Uint8s, Uint8s, Uint8s), AMALGAM_ROW(Int32s, Int32s, Int32s),
     AMALGAM_ROW(Uint32s, Uint32s, Uint32s), AMALGAM_ROW(Int64s, Int64s, Int64s),
     AMALGAM_ROW(Uint64s, Uint64s, Uint64s), AMALGAM_ROW(Float16s, Order16<false>, Order16<true>),
     AMALGAM_ROW(Float32s, Order32<false>, Order32<true>), AMALGAM_ROW(Float64s, Order64<false>, Order64<true>),
     AMALGAM_ROW(Bfloat16s, OrderBf16<false>, OrderBf16<true>),
     AMALGAM_ROW(Float8e4m3s, OrderE4m3<false>, OrderE4m3<true>),
     AMALGAM_ROW(Float8e5m2s, OrderE5m2<false>, OrderE5m2<true>)},
    {AMALGAM_SCALED_ROW(sum_scaled_integers, Int8s), AMALGAM_SCALED_ROW(sum_scaled_integers, Uint8s),
     AMALGAM_SCALED_ROW(sum_scaled_integers, Int32s), AMALGAM_SCALED_ROW(sum_scaled_integers, Uint32s),
     AMALGAM_SCALED_ROW(sum_scaled_integers, Int64s), AMALGAM_SCALED_ROW(sum_scaled_integers, Uint64s),
     AMALGAM_SCALED_ROW(sum_scaled, Float16s), AMALGAM_SCALED_ROW(sum_scaled, Float32s),
     AMALGAM_SCALED_ROW(sum_scaled, Float64s), AMALGAM_SCALED_ROW(sum_scaled, Bfloat16s),
     AMALGAM_SCALED_ROW(sum_scaled, Float8e4m3s), AMALGAM_SCALED_ROW(sum_scaled, Float8e5m2s)},
    AMALGAM_CONVERSIONS(widen_vectors),
    AMALGAM_CONVERSIONS(narrow_vectors)};

}  // namespace amalgam::reduce
