#pragma once

// Elements of every NCCL type as doubles and back, by arithmetic of its own: the tests' oracle shares nothing with
// src/reduce.

#include <nccl.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace support {

struct Format {  // a small binary float: 1 sign bit, exponent bits, mantissa bits
  int exponent_bits, mantissa_bits;
  bool has_infinity;  // e4m3 has none: its largest exponent is ordinary but for one NaN
};

inline Format format_of(ncclDataType_t type) {
  switch (type) {
    case ncclFloat16: return {5, 10, true};
    case ncclBfloat16: return {8, 7, true};
    case ncclFloat8e4m3: return {4, 3, false};
    default: return {5, 2, true};  // ncclFloat8e5m2
  }
}

inline std::size_t size_of(ncclDataType_t type) {
  switch (type) {
    case ncclInt8:
    case ncclUint8:
    case ncclFloat8e4m3:
    case ncclFloat8e5m2: return 1;
    case ncclFloat16:
    case ncclBfloat16: return 2;
    case ncclInt32:
    case ncclUint32:
    case ncclFloat32: return 4;
    default: return 8;
  }
}

inline bool is_small_float(ncclDataType_t type) {
  return type == ncclFloat16 || type == ncclBfloat16 || type == ncclFloat8e4m3 || type == ncclFloat8e5m2;
}
inline bool is_float(ncclDataType_t type) { return is_small_float(type) || type == ncclFloat32 || type == ncclFloat64; }

inline double decode_small(std::uint32_t bits, Format f) {
  const int bias = (1 << (f.exponent_bits - 1)) - 1;
  const std::uint32_t sign = bits >> (f.exponent_bits + f.mantissa_bits) & 1U;
  const std::uint32_t exponent = bits >> f.mantissa_bits & ((1U << f.exponent_bits) - 1);
  const std::uint32_t mantissa = bits & ((1U << f.mantissa_bits) - 1);
  const std::uint32_t top = (1U << f.exponent_bits) - 1;
  double value;
  if (exponent == top && f.has_infinity) {
    value = mantissa == 0 ? INFINITY : NAN;
  } else if (!f.has_infinity && exponent == top && mantissa == (1U << f.mantissa_bits) - 1) {
    value = NAN;
  } else if (exponent == 0) {
    value = std::ldexp(mantissa, 1 - bias - f.mantissa_bits);
  } else {
    value = std::ldexp(mantissa + (1U << f.mantissa_bits), static_cast<int>(exponent) - bias - f.mantissa_bits);
  }
  return sign != 0 ? -value : value;
}

inline double load(const void* at, ncclDataType_t type) {
  switch (type) {
    case ncclInt8: return *static_cast<const std::int8_t*>(at);
    case ncclUint8: return *static_cast<const std::uint8_t*>(at);
    case ncclInt32: return *static_cast<const std::int32_t*>(at);
    case ncclUint32: return *static_cast<const std::uint32_t*>(at);
    case ncclInt64: return static_cast<double>(*static_cast<const std::int64_t*>(at));
    case ncclUint64: return static_cast<double>(*static_cast<const std::uint64_t*>(at));
    case ncclFloat32: return *static_cast<const float*>(at);
    case ncclFloat64: return *static_cast<const double*>(at);
    default: {
      std::uint32_t bits = 0;
      std::memcpy(&bits, at, size_of(type) == 1 ? 1 : 2);
      return decode_small(bits, format_of(type));
    }
  }
}

// Nearest value of the small format, ties to even, by trying every pattern of the magnitude: slow and beyond doubt.
inline std::uint32_t encode_small(double value, Format f) {
  const int bits = f.exponent_bits + f.mantissa_bits;
  std::uint32_t low = 0, high = (1U << bits) - 1;  // magnitudes rise with their pattern up to infinity
  while (std::isnan(decode_small(high, f)) || std::isinf(decode_small(high, f))) --high;
  const double magnitude = std::fabs(value);
  while (low < high) {  // largest pattern not above the magnitude
    const std::uint32_t middle = (low + high + 1) / 2;
    if (decode_small(middle, f) <= magnitude) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  const double below = decode_small(low, f), above = decode_small(low + 1, f);
  if (std::isfinite(above) && !std::isnan(above)) {
    const double down = magnitude - below, up = above - magnitude;
    if (up < down || (up == down && (low & 1U) != 0)) ++low;
  }
  return low | (std::signbit(value) ? 1U << bits : 0U);
}

inline void store(void* at, ncclDataType_t type, double value) {
  switch (type) {
    case ncclInt8: *static_cast<std::int8_t*>(at) = static_cast<std::int8_t>(static_cast<std::int64_t>(value)); break;
    case ncclUint8:
      *static_cast<std::uint8_t*>(at) = static_cast<std::uint8_t>(static_cast<std::int64_t>(value));
      break;
    case ncclInt32: *static_cast<std::int32_t*>(at) = static_cast<std::int32_t>(value); break;
    case ncclUint32: *static_cast<std::uint32_t*>(at) = static_cast<std::uint32_t>(value); break;
    case ncclInt64: *static_cast<std::int64_t*>(at) = static_cast<std::int64_t>(value); break;
    case ncclUint64: *static_cast<std::uint64_t*>(at) = static_cast<std::uint64_t>(value); break;
    case ncclFloat32: *static_cast<float*>(at) = static_cast<float>(value); break;
    case ncclFloat64: *static_cast<double*>(at) = value; break;
    default: {
      const std::uint32_t bits = encode_small(value, format_of(type));
      std::memcpy(at, &bits, size_of(type) == 1 ? 1 : 2);
    }
  }
}

// Distance of one unit in the last place near `value`, for the tolerance of float avg.
inline double ulp(double value, ncclDataType_t type) {
  if (!is_float(type)) return 0;
  int mantissa = type == ncclFloat64 ? 52 : type == ncclFloat32 ? 23 : format_of(type).mantissa_bits;
  int lowest = type == ncclFloat64                           ? -1022
               : type == ncclFloat32 || type == ncclBfloat16 ? -126
               : type == ncclFloat8e4m3                      ? -6
                                                             : -14;
  const int exponent = value == 0 ? lowest : std::max(std::ilogb(value), lowest);
  return std::ldexp(1.0, exponent - mantissa);
}

}  // namespace support
