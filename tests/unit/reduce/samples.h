#pragma once

// Operand data for the tests: random bits salted with the values that break arithmetic, from a seed that is printed.

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "base/types.h"
#include "reduce/kernels.h"

namespace amalgam::reduce {

using Memory = std::vector<unsigned char>;

inline constexpr DataType kAllTypes[] = {DataType::kInt8,     DataType::kUint8,      DataType::kInt32,
                                         DataType::kUint32,   DataType::kInt64,      DataType::kUint64,
                                         DataType::kFloat16,  DataType::kFloat32,    DataType::kFloat64,
                                         DataType::kBfloat16, DataType::kFloat8e4m3, DataType::kFloat8e5m2};
inline constexpr ReduceOp kFoldedOps[] = {ReduceOp::kSum, ReduceOp::kProd, ReduceOp::kMax, ReduceOp::kMin};

inline std::uint64_t element(DataType type, const void* base, std::size_t index) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, static_cast<const unsigned char*>(base) + index * size_of(type), size_of(type));
  return bits;
}

inline void set_element(DataType type, void* base, std::size_t index, std::uint64_t bits) {
  std::memcpy(static_cast<unsigned char*>(base) + index * size_of(type), &bits, size_of(type));
}

// Zeros, ones, the smallest and largest of everything, infinities and NaNs of every format, as bits; cut to the type's
// size.
inline constexpr std::uint64_t kSpecialBits[] = {0,
                                                 1,
                                                 2,
                                                 0x7f,
                                                 0x80,
                                                 0x81,
                                                 0xff,
                                                 0x7e,
                                                 0x7c,
                                                 0xfc,
                                                 0x7d,
                                                 0x7b,
                                                 0x38,
                                                 0x3c,
                                                 0x08,
                                                 0x07,
                                                 0x8000,
                                                 0x8001,
                                                 0x7fff,
                                                 0xffff,
                                                 0x7c00,
                                                 0xfc00,
                                                 0x7c01,
                                                 0x7e00,
                                                 0x7bff,
                                                 0x0400,
                                                 0x03ff,
                                                 0x3c00,
                                                 0x7f80,
                                                 0xff80,
                                                 0x7f81,
                                                 0x7fc0,
                                                 0x7f7f,
                                                 0x0080,
                                                 0x3f80,
                                                 0x80000000,
                                                 0x80000001,
                                                 0x7fffffff,
                                                 0xffffffff,
                                                 0x7f800000,
                                                 0xff800000,
                                                 0x7f800001,
                                                 0xffc00000,
                                                 0x7f7fffff,
                                                 0x00800000,
                                                 0x007fffff,
                                                 0x3f800000,
                                                 0x8000000000000000,
                                                 0x8000000000000001,
                                                 0x7fffffffffffffff,
                                                 0xffffffffffffffff,
                                                 0x7ff0000000000000,
                                                 0xfff0000000000000,
                                                 0x7ff0000000000001,
                                                 0xfff8000000000000,
                                                 0x7fefffffffffffff,
                                                 0x0010000000000000,
                                                 0x000fffffffffffff,
                                                 0x3ff0000000000000};

// A number of moderate size in the type's own format, so that sums round instead of overflowing.
inline std::uint64_t moderate(DataType type, std::mt19937_64& random) {
  const std::uint64_t bits = random(), sign = bits >> 63;
  switch (type) {
    case DataType::kFloat64: return (sign << 63) | ((1003 + bits % 40) << 52) | (random() >> 12);
    case DataType::kFloat32: return (sign << 31) | ((107 + bits % 40) << 23) | (random() >> 41);
    case DataType::kFloat16: return (sign << 15) | ((5 + bits % 20) << 10) | (random() >> 54);
    case DataType::kBfloat16: return (sign << 15) | ((117 + bits % 20) << 7) | (random() >> 57);
    default: return bits;
  }
}

inline Memory sample(DataType type, std::size_t count, std::size_t padding, std::mt19937_64& random) {
  Memory memory(padding + count * size_of(type));
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t choice = random() % 8;
    const std::uint64_t bits = choice == 0  ? kSpecialBits[random() % std::size(kSpecialBits)]
                               : choice < 3 ? random()
                                            : moderate(type, random);
    set_element(type, memory.data() + padding, i, bits);
  }
  return memory;
}

inline std::string describe(DataType type, ReduceOp op) {
  return std::string(name_of(type)) + " " + std::string(name_of(op));
}

inline std::vector<const Kernels*> all_targets() {
  std::vector<const Kernels*> tables;
  const Targets targets = usable_targets();
  for (const Kernels* const* table = targets.tables; *table != nullptr; ++table) tables.push_back(*table);
  return tables;
}

}  // namespace amalgam::reduce
