// The kernels for NEON; meson.build gives this unit its flags.

#define AMALGAM_KERNELS kNeonKernels
#define AMALGAM_TARGET_NAME "neon"
#include "reduce/vector_kernels-inl.h"
