#include "element.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

namespace perf {
namespace {

template <typename T>
void put(double value, std::byte* to) {
  // Through int64: a negative value into an unsigned type would be undefined.
  const T element =
      std::is_floating_point_v<T> ? static_cast<T>(value) : static_cast<T>(static_cast<std::int64_t>(value));
  std::memcpy(to, &element, sizeof(element));
}

template <typename T>
double get(const std::byte* from) {
  T element;
  std::memcpy(&element, from, sizeof(element));
  return static_cast<double>(element);
}

int bias(const Type& type) { return (1 << (type.exponent_bits - 1)) - 1; }

// Power of two of the last place near `value`.
int last_place(const Type& type, double value) {
  const int lowest = 1 - bias(type);
  const int exponent = value == 0 ? lowest : std::max(std::ilogb(value), lowest);
  return exponent - type.mantissa_bits;
}

std::uint32_t encode_small(const Type& type, double value) {
  const double magnitude = std::fabs(value);
  const int place = last_place(type, magnitude);
  // Counted in last places; with the exponent field one lower, a mantissa's hidden bit and a carry both add up right.
  const auto places = static_cast<std::uint32_t>(std::nearbyint(std::ldexp(magnitude, -place)));
  const auto field = static_cast<std::uint32_t>(place + type.mantissa_bits + bias(type) - 1);
  const std::uint32_t sign = std::signbit(value) ? 1U << (type.exponent_bits + type.mantissa_bits) : 0U;
  return sign | ((field << type.mantissa_bits) + places);
}

double decode_small(const Type& type, std::uint32_t bits) {
  const std::uint32_t field = bits >> type.mantissa_bits & ((1U << type.exponent_bits) - 1);
  const std::uint32_t mantissa = bits & ((1U << type.mantissa_bits) - 1);
  const std::uint32_t hidden = field == 0 ? 0U : 1U << type.mantissa_bits;
  const int exponent = std::max(static_cast<int>(field), 1) - bias(type) - type.mantissa_bits;
  const double magnitude = std::ldexp(mantissa + hidden, exponent);
  return (bits >> (type.exponent_bits + type.mantissa_bits) & 1U) != 0 ? -magnitude : magnitude;
}

}  // namespace

const Type* find_type(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kOther[] = {
      {"char", "int8"},         {"int", "int32"},        {"float16", "half"},    {"float32", "float"},
      {"float64", "double"},    {"bf16", "bfloat16"},    {"fp8_e4m3", "f8e4m3"}, {"fp8_e5m2", "f8e5m2"},
      {"float8e4m3", "f8e4m3"}, {"float8e5m2", "f8e5m2"}};
  for (const auto& [other, usual] : kOther)
    if (name == other) name = usual;
  for (const Type& type : kTypes)
    if (name == type.name) return &type;
  return nullptr;
}

void encode(const Type& type, double value, std::byte* to) {
  switch (type.value) {
    case ncclInt8: return put<std::int8_t>(value, to);
    case ncclUint8: return put<std::uint8_t>(value, to);
    case ncclInt32: return put<std::int32_t>(value, to);
    case ncclUint32: return put<std::uint32_t>(value, to);
    case ncclInt64: return put<std::int64_t>(value, to);
    case ncclUint64: return put<std::uint64_t>(value, to);
    case ncclFloat32: return put<float>(value, to);
    case ncclFloat64: return put<double>(value, to);
    default: break;
  }
  const std::uint32_t bits = encode_small(type, value);
  std::memcpy(to, &bits, type.bytes);  // little-endian, like everything that the library runs on
}

double decode(const Type& type, const std::byte* from) {
  switch (type.value) {
    case ncclInt8: return get<std::int8_t>(from);
    case ncclUint8: return get<std::uint8_t>(from);
    case ncclInt32: return get<std::int32_t>(from);
    case ncclUint32: return get<std::uint32_t>(from);
    case ncclInt64: return get<std::int64_t>(from);
    case ncclUint64: return get<std::uint64_t>(from);
    case ncclFloat32: return get<float>(from);
    case ncclFloat64: return get<double>(from);
    default: break;
  }
  std::uint32_t bits = 0;
  std::memcpy(&bits, from, type.bytes);
  return decode_small(type, bits);
}

double unit_in_last_place(const Type& type, double value) {
  return std::ldexp(1.0, last_place(type, std::fabs(value)));
}

}  // namespace perf
