// The kernels for AVX2; meson.build gives this unit its flags.

#define AMALGAM_KERNELS kAvx2Kernels
#define AMALGAM_TARGET_NAME "avx2"
#include "reduce/vector_kernels-inl.h"
