#pragma once

// Arithmetic on host memory: the one definition of every reduction, so that all ranks compute the same bits.
//
// Rules (docs/numerics.md): round to nearest even, no flush of denormals; 16- and 8-bit floats are widened to fp32,
// summed over all operands of one call in operand order, and rounded once; fp8 conversions saturate and keep NaN; sum
// and prod give the canonical quiet NaN of the type; min and max drop NaN (all NaN: canonical NaN) and order -0 below
// +0; integers wrap; division truncates toward zero. Results depend on operand values and order only: not on target,
// alignment, count or position, so scalar, AVX2 and AVX-512 code agree bit for bit.
//
// Threads    all functions are pure; any thread.    Aliasing   dst may equal any source exactly; no other overlap.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/types.h"

namespace amalgam::reduce {

// What is done to one operand when it is first read, in the element type (integers wrap; floats round once).
struct Scale {
  enum class Kind : std::uint8_t { kNone, kMultiply, kDivide } kind = Kind::kNone;
  double real = 1;           // float types: the factor or the divisor, exactly
  std::int64_t integer = 1;  // integer types: likewise (two's complement bits for unsigned)
};

// A reduction as the kernels see it: avg and premulsum are already lowered to sum with scales.
struct Reduction {
  DataType type = DataType::kFloat32;
  ReduceOp op = ReduceOp::kSum;  // kSum, kProd, kMax or kMin
  Scale pre;                     // applied to operands read from a rank's own input
  Scale post;                    // applied once to the finished value
};

// Lowers (type, op) for `ranks` ranks. `wide`: the plan folds all operands at once (then avg divides once at the end;
// else 16- and 8-bit float avg divides each input so that partial sums cannot overflow; fp32, fp64 and integers divide
// at the end). `scalar` points to one element of `type` for premulsum, else unused.
Reduction lower(DataType type, ReduceOp op, int ranks, bool wide, const void* scalar);

// dst[i] = operands[0][i] ∘ operands[1][i] ∘ …, for 1 ≤ operands.size(). `own`: index of the operand that `pre` applies
// to, or -1. `finish`: apply `post` before the one rounding.
void fold(const Reduction& reduction, void* dst, std::span<const void* const> operands, std::size_t count, int own,
          bool finish);

// dst[i] = src[i] with `pre` and `post` where asked; a plain copy (memcpy, no conversion, NaN bits kept) when neither
// does anything.
void copy(const Reduction& reduction, void* dst, const void* src, std::size_t count, bool pre, bool finish);

// A 16- or 8-bit float: computed in fp32.
bool narrow_float(DataType type);

// fp32 from a narrow float, exactly, and back, rounded once; a NaN comes out as the canonical one. No overlap.
void widen(DataType type, float* dst, const void* src, std::size_t count);
void narrow(DataType type, void* dst, const float* src, std::size_t count);

// Name of the instruction set in use: "scalar"/"sse4"/"avx2"/"avx512"/"neon" …
const char* target_name();

}  // namespace amalgam::reduce
