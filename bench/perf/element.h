#pragma once

// Single elements of NCCL's types, as the checks need them: their names, encoding and decoding. Arithmetic of its own,
// so that the library is not compared with itself. Pure functions, any thread.

#include <nccl.h>

#include <array>
#include <cstddef>
#include <string_view>

namespace perf {

struct Type {
  const char* name;
  ncclDataType_t value;
  std::size_t bytes;
  bool is_float;
  bool is_signed;
  int exact;                         // every integer of at most this magnitude is representable
  int exponent_bits, mantissa_bits;  // of floats
};

inline constexpr std::array<Type, 12> kTypes = {{
    {"int8", ncclInt8, 1, false, true, 127, 0, 0},
    {"uint8", ncclUint8, 1, false, false, 255, 0, 0},
    {"int32", ncclInt32, 4, false, true, 1 << 20, 0, 0},
    {"uint32", ncclUint32, 4, false, false, 1 << 20, 0, 0},
    {"int64", ncclInt64, 8, false, true, 1 << 20, 0, 0},
    {"uint64", ncclUint64, 8, false, false, 1 << 20, 0, 0},
    {"half", ncclFloat16, 2, true, true, 2048, 5, 10},
    {"float", ncclFloat32, 4, true, true, 1 << 20, 8, 23},
    {"double", ncclFloat64, 8, true, true, 1 << 20, 11, 52},
    {"bfloat16", ncclBfloat16, 2, true, true, 256, 8, 7},
    {"f8e4m3", ncclFloat8e4m3, 1, true, true, 16, 4, 3},
    {"f8e5m2", ncclFloat8e5m2, 1, true, true, 8, 5, 2},
}};

// By nccl-tests' name, or another usual one (float16, float32, float64, fp8_e4m3, …). Null if there is none.
const Type* find_type(std::string_view name);

// Rounds to nearest even. `value` is finite and in the type's range.
void encode(const Type& type, double value, std::byte* to);
double decode(const Type& type, const std::byte* from);
double unit_in_last_place(const Type& type, double value);

}  // namespace perf
