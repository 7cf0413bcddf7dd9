#pragma once

// One element at a time: the definition of every format and operation of fold.h in plain C++. The scalar kernels and
// lower() are built from it, and the vector kernels must give the same bits.
//
// A format names the stored type (Stored), the type it computes in (Wide: float for the small floats, else itself) and
// the two conversions between them. narrow() rounds to nearest even and turns every NaN into the format's canonical
// one.
//
// Threads    pure functions.    Linkage   include it only in units built with the baseline flags: its inline functions
// may be merged by the linker, so a unit built for a newer instruction set must not define them.

#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "reduce/fold.h"

namespace amalgam::reduce {

template <typename T>
struct IntegerFormat {
  using Stored = T;
  using Wide = T;
  static constexpr bool kFloat = false;
  static Wide widen(Stored value) { return value; }
  static Stored narrow(Wide value) { return value; }
};

struct Float64Format {
  using Stored = double;
  using Wide = double;
  static constexpr bool kFloat = true;
  static Wide widen(Stored value) { return value; }
  static Stored narrow(Wide value) { return value == value ? value : std::bit_cast<double>(0x7ff8000000000000u); }
};

struct Float32Format {
  using Stored = float;
  using Wide = float;
  static constexpr bool kFloat = true;
  static Wide widen(Stored value) { return value; }
  static Stored narrow(Wide value) { return value == value ? value : std::bit_cast<float>(0x7fc00000u); }
};

// bfloat16 is the upper half of a float, so rounding is one addition to the bits; a carry moves into the exponent.
struct Bfloat16Format {
  using Stored = std::uint16_t;
  using Wide = float;
  static constexpr bool kFloat = true;
  static Wide widen(Stored value) { return std::bit_cast<float>(std::uint32_t{value} << 16); }
  static Stored narrow(Wide value) {
    if (value != value) return 0x7fc0;
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    return static_cast<Stored>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
  }
};

// A float with fewer exponent bits than fp32. kSaturate: magnitudes above kLargest become kLargest, else infinity.
template <typename T, int kExponentBits, int kMantissaBits, bool kInfinity, bool kSaturate, T kLargest, T kNan>
struct SmallFormat {
  using Stored = T;
  using Wide = float;
  static constexpr bool kFloat = true;
  static constexpr int kBias = (1 << (kExponentBits - 1)) - 1;
  static constexpr int kShift = 23 - kMantissaBits;
  static constexpr std::uint32_t kRebias = static_cast<std::uint32_t>(127 - kBias) << 23;
  static constexpr std::uint32_t kMagnitude = (1u << (kExponentBits + kMantissaBits)) - 1;
  static constexpr std::uint32_t kTop = ((1u << kExponentBits) - 1) << kMantissaBits;  // first with all exponent bits
  static constexpr float kUnit = std::bit_cast<float>(static_cast<std::uint32_t>(128 - kBias - kMantissaBits) << 23);
  // Adding this to a magnitude below the smallest normal number rounds it to a multiple of kUnit.
  static constexpr std::uint32_t kAligner = static_cast<std::uint32_t>(128 - kBias - kMantissaBits + 23) << 23;
  static constexpr std::uint32_t kFirstNormal = static_cast<std::uint32_t>(128 - kBias) << 23;

  static Wide widen(Stored value) {
    const std::uint32_t magnitude = value & kMagnitude;
    const std::uint32_t sign = (std::uint32_t{value} & ~kMagnitude) << (32 - 8 * sizeof(T));
    std::uint32_t bits = (magnitude << kShift) + kRebias;
    if (magnitude >> kMantissaBits == 0) bits = std::bit_cast<std::uint32_t>(static_cast<float>(magnitude) * kUnit);
    if (kInfinity && magnitude >= kTop) bits = 0x7f800000u | (magnitude << kShift);
    if (!kInfinity && magnitude == kMagnitude) bits = 0x7fc00000u;
    return std::bit_cast<float>(sign | bits);
  }

  static Stored narrow(Wide value) {
    if (value != value) return kNan;
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    std::uint32_t rounded;
    if (magnitude < kFirstNormal) {
      const float aligned = std::bit_cast<float>(magnitude) + std::bit_cast<float>(kAligner);
      rounded = std::bit_cast<std::uint32_t>(aligned) - kAligner;
    } else {
      const std::uint32_t half_below = (1u << (kShift - 1)) - 1;
      rounded = (magnitude - kRebias + half_below + ((magnitude >> kShift) & 1)) >> kShift;
    }
    const std::uint32_t limit = kSaturate ? kLargest : kTop;
    if (rounded > limit) rounded = limit;
    return static_cast<Stored>(rounded | ((bits >> 31) << (8 * sizeof(T) - 1)));
  }
};

using Float16Format = SmallFormat<std::uint16_t, 5, 10, true, false, 0x7bff, 0x7e00>;
using Float8e4m3Format = SmallFormat<std::uint8_t, 4, 3, false, true, 0x7e, 0x7f>;
using Float8e5m2Format = SmallFormat<std::uint8_t, 5, 2, true, true, 0x7b, 0x7e>;

// Order of floats as integers: -0 below +0.
template <typename Float>
auto order_key(Float value) {
  using Int = std::conditional_t<sizeof(Float) == 4, std::int32_t, std::int64_t>;
  const Int bits = std::bit_cast<Int>(value);
  return bits < 0 ? static_cast<Int>(bits ^ ~(Int{1} << (8 * sizeof(Int) - 1))) : bits;
}

// An integer's bits. Above those of T they are zero: a sum or product modulo 2^bits of T does not need them.
template <typename T>
std::uint64_t bits_of(T value) {
  return static_cast<std::make_unsigned_t<T>>(value);
}

template <ReduceOp kOp, typename T>
T combine(T left, T right) {
  if constexpr (kOp == ReduceOp::kSum || kOp == ReduceOp::kProd) {
    if constexpr (std::is_floating_point_v<T>) {
      return kOp == ReduceOp::kSum ? left + right : left * right;
    } else {
      const std::uint64_t a = bits_of(left), b = bits_of(right);
      return static_cast<T>(kOp == ReduceOp::kSum ? a + b : a * b);
    }
  } else if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(left)) return right;
    if (std::isnan(right)) return left;
    const bool less = order_key(left) < order_key(right);
    return less == (kOp == ReduceOp::kMin) ? left : right;
  } else {
    return (left < right) == (kOp == ReduceOp::kMin) ? left : right;
  }
}

// Integer scaling in 64 bits: a divisor may be too large for the element type, then the quotient is 0.
template <typename T>
T scale_integer(T value, const Scale& scale) {
  using Int = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
  const std::uint64_t bits = bits_of(value);
  if (scale.kind == Scale::Kind::kMultiply) return static_cast<T>(bits * static_cast<std::uint64_t>(scale.integer));
  const Int divisor = static_cast<Int>(scale.integer);
  if (divisor == 0) return 0;
  if (std::is_signed_v<T> && scale.integer == -1) return static_cast<T>(0 - bits);  // the smallest value wraps
  return static_cast<T>(static_cast<Int>(value) / divisor);
}

// In the wide type, not yet rounded to the stored one.
template <typename Format>
typename Format::Wide scale_wide(typename Format::Wide value, const Scale& scale) {
  if (scale.kind == Scale::Kind::kNone) return value;
  if constexpr (Format::kFloat) {
    const auto real = static_cast<typename Format::Wide>(scale.real);
    return scale.kind == Scale::Kind::kMultiply ? value * real : value / real;
  } else {
    return scale_integer(value, scale);
  }
}

}  // namespace amalgam::reduce
