// Which tables the processor can run, asked once. libgcc's cpuid table also checks that the kernel saves the registers.

#include "reduce/kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace amalgam::reduce {

#if defined(__x86_64__)
namespace {

// Not every compiler's __builtin_cpu_supports knows the name.
bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

}  // namespace
#endif

Targets usable_targets() {
  Targets targets;
  const Kernels** next = targets.tables;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && has_f16c();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  if (avx2 && avx512) *next++ = &kAvx512Kernels;
  if (avx2) *next++ = &kAvx2Kernels;
#elif defined(__aarch64__)
  *next++ = &kNeonKernels;
#endif
  *next = &kScalarKernels;
  return targets;
}

}  // namespace amalgam::reduce
