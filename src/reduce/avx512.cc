// The kernels for AVX-512; meson.build gives this unit its flags.

#define AMALGAM_KERNELS kAvx512Kernels
#define AMALGAM_TARGET_NAME "avx512"
#include "reduce/vector_kernels-inl.h"
