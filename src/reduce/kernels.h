#pragma once

// The table that each instruction set fills: one kernel per type and operation, chosen once per process.
//
// Contract   as fold.h, for the elements `begin` to `count` (so that one kernel can leave its last elements to
// another);
//            `operand_count` is at least 1; op is sum, prod, max or min. All tables give the same bits.
// Threads    kernels are pure, tables are constants.

#include <cstddef>

#include "reduce/fold.h"

namespace amalgam::reduce {

inline constexpr int kFoldOps = 4;

using FoldKernel = void (*)(void* dst, const void* const* operands, std::size_t operand_count, std::size_t begin,
                            std::size_t count);

struct Scaling {
  Scale pre;   // of operand `own`
  Scale post;  // of the finished value
  int own;     // -1: none
};
using ScaledFoldKernel = void (*)(const Scaling& scaling, void* dst, const void* const* operands,
                                  std::size_t operand_count, std::size_t begin, std::size_t count);

// As fold.h's widen and narrow.
using ConvertKernel = void (*)(void* dst, const void* src, std::size_t begin, std::size_t count);

struct Kernels {
  const char* name;
  FoldKernel fold[kDataTypes][kFoldOps];
  ScaledFoldKernel scaled[kDataTypes][kFoldOps];
  ConvertKernel widen[kDataTypes];  // null but for the 16- and 8-bit floats
  ConvertKernel narrow[kDataTypes];
};

extern const Kernels kScalarKernels;  // always there
#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;    // AVX2 and F16C
extern const Kernels kAvx512Kernels;  // those, BMI and AVX-512 F, BW, DQ, VL
#elif defined(__aarch64__)
extern const Kernels kNeonKernels;
#endif

// The tables that this processor can run, best first; null after the last.
inline constexpr int kMaxTargets = 4;
struct Targets {
  const Kernels* tables[kMaxTargets + 1] = {};
};
Targets usable_targets();

}  // namespace amalgam::reduce
