#include "reference.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace amalgam::reduce::reference {
namespace {

#if __LDBL_MANT_DIG__ == 113
using Quad = long double;
#else
__extension__ typedef __float128 Quad;
#endif
__extension__ typedef __int128 Wide;
__extension__ typedef unsigned __int128 UnsignedWide;

struct Shape {
  int exponent_bits, mantissa_bits;
  bool infinity, saturate;
};

Shape shape_of(DataType type) {
  switch (type) {
    case DataType::kFloat64: return {11, 52, true, false};
    case DataType::kFloat32: return {8, 23, true, false};
    case DataType::kFloat16: return {5, 10, true, false};
    case DataType::kBfloat16: return {8, 7, true, false};
    case DataType::kFloat8e4m3: return {4, 3, false, true};
    default: return {5, 2, true, true};
  }
}

Bits magnitude_mask(const Shape& shape) { return (Bits{1} << (shape.exponent_bits + shape.mantissa_bits)) - 1; }
Bits all_exponent_bits(const Shape& shape) { return ((Bits{1} << shape.exponent_bits) - 1) << shape.mantissa_bits; }

// Value of a magnitude as if every exponent were an ordinary one, so that the codes of infinity and NaN continue the
// scale.
double magnitude_value(const Shape& shape, Bits magnitude) {
  const int bias = (1 << (shape.exponent_bits - 1)) - 1;
  const int exponent = static_cast<int>(magnitude >> shape.mantissa_bits);
  const double fraction = static_cast<double>(magnitude & ((Bits{1} << shape.mantissa_bits) - 1));
  if (exponent == 0) return std::ldexp(fraction, 1 - bias - shape.mantissa_bits);
  return std::ldexp(fraction + std::ldexp(1.0, shape.mantissa_bits), exponent - bias - shape.mantissa_bits);
}

Bits largest_finite(const Shape& shape) {
  return shape.infinity ? all_exponent_bits(shape) - 1 : magnitude_mask(shape) - 1;
}

Quad apply(ReduceOp op, Quad left, Quad right) { return op == ReduceOp::kSum ? left + right : left * right; }

// In the precision that fold.h names: double for fp64, float for all others. 113 bits make the second rounding
// harmless.
double rounded(DataType type, Quad value) {
  return type == DataType::kFloat64 ? static_cast<double>(value) : static_cast<double>(static_cast<float>(value));
}

double scaled(DataType type, double value, const Scale& scale) {
  if (scale.kind == Scale::Kind::kNone) return value;
  const Quad real = rounded(type, scale.real);
  return rounded(type, scale.kind == Scale::Kind::kMultiply ? Quad{value} * real : Quad{value} / real);
}

bool first_wins(ReduceOp op, double first, double second) {
  if (std::isnan(second)) return true;
  if (std::isnan(first)) return false;
  if (first == 0 && second == 0) return std::signbit(first) == (op == ReduceOp::kMin);
  return op == ReduceOp::kMin ? first < second : first > second;
}

Bits fold_floats(const Reduction& reduction, std::vector<Bits> operands, int own, bool finish) {
  const DataType type = reduction.type;
  if (own >= 0 && reduction.pre.kind != Scale::Kind::kNone) {
    Bits& bits = operands[static_cast<std::size_t>(own)];
    bits = encode(type, scaled(type, decode(type, bits), reduction.pre));
  }
  const bool post = finish && reduction.post.kind != Scale::Kind::kNone;
  if (reduction.op == ReduceOp::kMin || reduction.op == ReduceOp::kMax) {
    Bits best = operands[0];
    for (Bits other : operands) {
      if (!first_wins(reduction.op, decode(type, best), decode(type, other))) best = other;
    }
    if (post) return encode(type, scaled(type, decode(type, best), reduction.post));
    return is_nan(type, best) ? canonical_nan(type) : best;
  }
  double total = decode(type, operands[0]);
  for (std::size_t i = 1; i < operands.size(); ++i) {
    total = rounded(type, apply(reduction.op, total, decode(type, operands[i])));
  }
  return encode(type, post ? scaled(type, total, reduction.post) : total);
}

struct Integers {
  int bits;
  bool is_signed;
};

Integers integers_of(DataType type) {
  const bool is_signed = type == DataType::kInt8 || type == DataType::kInt32 || type == DataType::kInt64;
  return {static_cast<int>(8 * size_of(type)), is_signed};
}

Bits wrap(const Integers& kind, UnsignedWide value) {
  return static_cast<Bits>(value) & (~Bits{0} >> (64 - kind.bits));
}

Wide number(const Integers& kind, Bits bits) {
  const bool negative = kind.is_signed && (bits >> (kind.bits - 1) & 1) != 0;
  return static_cast<Wide>(bits) - (negative ? Wide{1} << kind.bits : 0);
}

Bits scaled(const Integers& kind, Bits bits, const Scale& scale) {
  if (scale.kind == Scale::Kind::kNone) return bits;
  const Wide factor = kind.is_signed ? Wide{scale.integer} : static_cast<Wide>(static_cast<Bits>(scale.integer));
  const Wide value = number(kind, bits);
  if (scale.kind == Scale::Kind::kDivide) return wrap(kind, static_cast<UnsignedWide>(value / factor));
  return wrap(kind, static_cast<UnsignedWide>(value) * static_cast<UnsignedWide>(factor));
}

Bits fold_integers(const Reduction& reduction, std::vector<Bits> operands, int own, bool finish) {
  const Integers kind = integers_of(reduction.type);
  if (own >= 0) {
    Bits& bits = operands[static_cast<std::size_t>(own)];
    bits = scaled(kind, bits, reduction.pre);
  }
  Wide total = number(kind, operands[0]);
  for (std::size_t i = 1; i < operands.size(); ++i) {
    const Wide next = number(kind, operands[i]);
    switch (reduction.op) {
      case ReduceOp::kSum: total = total + next; break;
      case ReduceOp::kProd:
        total = number(kind, wrap(kind, static_cast<UnsignedWide>(total) * static_cast<UnsignedWide>(next)));
        break;
      case ReduceOp::kMax: total = total > next ? total : next; break;
      default: total = total < next ? total : next; break;
    }
  }
  const Bits bits = wrap(kind, static_cast<UnsignedWide>(total));
  return finish ? scaled(kind, bits, reduction.post) : bits;
}

}  // namespace

bool is_nan(DataType type, Bits bits) {
  const Shape shape = shape_of(type);
  const Bits magnitude = bits & magnitude_mask(shape);
  return shape.infinity ? magnitude > all_exponent_bits(shape) : magnitude == magnitude_mask(shape);
}

Bits canonical_nan(DataType type) {
  const Shape shape = shape_of(type);
  if (!shape.infinity) return magnitude_mask(shape);
  return all_exponent_bits(shape) | (Bits{1} << (shape.mantissa_bits - 1));
}

double decode(DataType type, Bits bits) {
  const Shape shape = shape_of(type);
  if (is_nan(type, bits)) return std::numeric_limits<double>::quiet_NaN();
  const Bits magnitude = bits & magnitude_mask(shape);
  const bool infinite = shape.infinity && magnitude == all_exponent_bits(shape);
  const double value = infinite ? std::numeric_limits<double>::infinity() : magnitude_value(shape, magnitude);
  return (bits & (magnitude_mask(shape) + 1)) != 0 ? -value : value;
}

Bits encode(DataType type, double value) {
  if (std::isnan(value)) return canonical_nan(type);
  if (type == DataType::kFloat64) return std::bit_cast<Bits>(value);
  const Shape shape = shape_of(type);
  const double size = std::fabs(value);
  const Bits limit = shape.saturate ? largest_finite(shape) : all_exponent_bits(shape);
  Bits low = 0, high = limit;  // the last magnitude not above the value, if it is below the limit
  while (low < high) {
    const Bits middle = low + (high - low + 1) / 2;
    (magnitude_value(shape, middle) <= size ? low : high) =
        magnitude_value(shape, middle) <= size ? middle : middle - 1;
  }
  if (low < limit) {
    const long double below = static_cast<long double>(size) - magnitude_value(shape, low);
    const long double above = static_cast<long double>(magnitude_value(shape, low + 1)) - size;
    if (above < below || (above == below && low % 2 == 1)) ++low;
  }
  return low | (std::signbit(value) ? magnitude_mask(shape) + 1 : 0);
}

Bits fold(const Reduction& reduction, const std::vector<Bits>& operands, int own, bool finish) {
  return is_float(reduction.type) ? fold_floats(reduction, operands, own, finish)
                                  : fold_integers(reduction, operands, own, finish);
}

}  // namespace amalgam::reduce::reference
