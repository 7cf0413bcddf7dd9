// Folding in the element type, rank by rank, as NCCL's ring kernels do.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "tests/vendors/ccl/comm.h"

namespace standin_ccl {
namespace {

struct Half {
  std::uint16_t bits;
};
struct Brain {
  std::uint16_t bits;
};

float to_float(Brain value) { return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16); }

Brain to_brain(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return {static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};  // no NaN comes this way
}

float to_float(Half value) {
  const std::uint32_t sign = static_cast<std::uint32_t>(value.bits & 0x8000) << 16;
  const std::uint32_t exponent = value.bits >> 10 & 31, mantissa = value.bits & 1023;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000U | mantissa << 13);
  const float magnitude = exponent == 0 ? static_cast<float>(mantissa) * 0x1p-24F
                                        : std::bit_cast<float>((exponent + 112) << 23 | mantissa << 13);
  return sign != 0 ? -magnitude : magnitude;
}

// Round to nearest even by the addition of a number whose last place is the half's.
Half to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000);
  float magnitude = std::bit_cast<float>(bits & 0x7fffffffU);
  if (magnitude >= 65520.0F) return {static_cast<std::uint16_t>(sign | 0x7c00)};
  if (magnitude < 0x1p-14F)
    return {static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(magnitude + 0.5F) & 0x7fff))};
  auto rounded = std::bit_cast<std::uint32_t>(magnitude);
  rounded += 0xfff + (rounded >> 13 & 1);
  return {static_cast<std::uint16_t>(sign | ((rounded >> 13) - (112U << 10)))};
}

// fp8: kGreatest is the code of the largest finite number, to which conversions saturate; 0x7f is NaN in both formats.
template <int kMantissaBits, int kBias, int kGreatest>
struct Eight {
  std::uint8_t bits;
};
using E4m3 = Eight<3, 7, 0x7e>;
using E5m2 = Eight<2, 15, 0x7b>;

template <int kMantissaBits, int kBias, int kGreatest>
float to_float(Eight<kMantissaBits, kBias, kGreatest> value) {
  const int code = value.bits & 0x7f, exponent = code >> kMantissaBits;
  const int fraction = code - (std::max(exponent - 1, 0) << kMantissaBits);  // the leading one included
  float magnitude = std::ldexp(static_cast<float>(fraction), std::max(exponent, 1) - kBias - kMantissaBits);
  if (code > kGreatest) magnitude = kMantissaBits == 2 && code == kGreatest + 1 ? INFINITY : NAN;
  return std::copysign(magnitude, (value.bits & 0x80) != 0 ? -1.0F : 1.0F);
}

// Round to nearest even in units of the last place.
template <int kMantissaBits, int kBias, int kGreatest>
Eight<kMantissaBits, kBias, kGreatest> to_eight(float value) {
  const int sign = std::signbit(value) ? 0x80 : 0;
  if (std::isnan(value)) return {static_cast<std::uint8_t>(sign | 0x7f)};
  const float magnitude = std::min(std::abs(value), 65536.0F);  // larger than both formats
  const int exponent = magnitude == 0 ? 1 - kBias : std::max(std::ilogb(magnitude), 1 - kBias);
  const int units = static_cast<int>(std::nearbyint(std::ldexp(magnitude, kMantissaBits - exponent)));
  const int code = ((exponent + kBias - 1) << kMantissaBits) + units;
  return {static_cast<std::uint8_t>(sign | std::min(code, kGreatest))};
}

template <typename T>
struct Wide {
  using Type = T;
  static T load(T value) { return value; }
  static T store(T value) { return value; }
};
template <>
struct Wide<Half> {
  using Type = float;
  static float load(Half value) { return to_float(value); }
  static Half store(float value) { return to_half(value); }
};
template <>
struct Wide<Brain> {
  using Type = float;
  static float load(Brain value) { return to_float(value); }
  static Brain store(float value) { return to_brain(value); }
};

template <int kMantissaBits, int kBias, int kGreatest>
struct Wide<Eight<kMantissaBits, kBias, kGreatest>> {
  using Type = float;
  static float load(Eight<kMantissaBits, kBias, kGreatest> value) { return to_float(value); }
  static auto store(float value) { return to_eight<kMantissaBits, kBias, kGreatest>(value); }
};

template <typename T>
T at(const void* from, std::size_t i) {
  T value;
  std::memcpy(&value, static_cast<const std::byte*>(from) + i * sizeof(T), sizeof(T));
  return value;
}

template <typename W>
W combine(int op, W a, W b) {
  switch (op) {
    case ncclProd: return static_cast<W>(a * b);
    case ncclMax: return a < b ? b : a;
    case ncclMin: return b < a ? b : a;
    default: return static_cast<W>(a + b);
  }
}

template <typename T>
void fold(int op, void* out, const std::vector<const void*>& operands, const std::vector<const void*>& scalars,
          std::size_t count) {
  using W = typename Wide<T>::Type;
  for (std::size_t i = 0; i < count; ++i) {
    T sum{};
    for (std::size_t r = 0; r < operands.size(); ++r) {
      W value = Wide<T>::load(at<T>(operands[r], i));
      if (!scalars.empty())
        value = Wide<T>::load(Wide<T>::store(static_cast<W>(value * Wide<T>::load(at<T>(scalars[r], 0)))));
      sum = r == 0 ? Wide<T>::store(value) : Wide<T>::store(combine(op, Wide<T>::load(sum), value));
    }
    if (op == ncclAvg) sum = Wide<T>::store(static_cast<W>(Wide<T>::load(sum) / static_cast<W>(operands.size())));
    std::memcpy(static_cast<std::byte*>(out) + i * sizeof(T), &sum, sizeof(T));
  }
}

}  // namespace

void reduce(int type, int op, void* out, const std::vector<const void*>& operands,
            const std::vector<const void*>& scalars, std::size_t count) {
  const int folded = op >= ncclNumOps ? static_cast<int>(ncclSum) : op;
  switch (type) {
    case ncclInt8: return fold<std::int8_t>(folded, out, operands, scalars, count);
    case ncclUint8: return fold<std::uint8_t>(folded, out, operands, scalars, count);
    case ncclInt32: return fold<std::int32_t>(folded, out, operands, scalars, count);
    case ncclUint32: return fold<std::uint32_t>(folded, out, operands, scalars, count);
    case ncclInt64: return fold<std::int64_t>(folded, out, operands, scalars, count);
    case ncclUint64: return fold<std::uint64_t>(folded, out, operands, scalars, count);
    case ncclFloat16: return fold<Half>(folded, out, operands, scalars, count);
    case ncclFloat32: return fold<float>(folded, out, operands, scalars, count);
    case ncclFloat64: return fold<double>(folded, out, operands, scalars, count);
    case ncclBfloat16: return fold<Brain>(folded, out, operands, scalars, count);
    case ncclFloat8e4m3: return fold<E4m3>(folded, out, operands, scalars, count);
    case ncclFloat8e5m2: return fold<E5m2>(folded, out, operands, scalars, count);
    default: return;  // no other type comes here
  }
}

std::size_t size_of(int type) {
  constexpr std::size_t kSizes[ncclNumTypes] = {1, 1, 4, 4, 8, 8, 2, 4, 8, 2, 1, 1};
  return kSizes[type];
}

bool reduces(Kind kind) { return kind == Kind::kAllReduce || kind == Kind::kReduce || kind == Kind::kReduceScatter; }

}  // namespace standin_ccl
