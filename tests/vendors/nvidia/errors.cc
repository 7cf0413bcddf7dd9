// Names and texts of the CUDA 13 runtime's errors. The driver names them in its own way: so far by these names too.

#include "tests/vendors/nvidia/cuda13.h"

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case 0: return "cudaSuccess";
#define X(number, name, text) \
  case number:                \
    return "cudaError" #name;
#include "tests/vendors/nvidia/errors.inc"
#undef X
    default: return "unrecognized error code";
  }
}

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case 0: return "no error";
#define X(number, name, text) \
  case number:                \
    return text;
#include "tests/vendors/nvidia/errors.inc"
#undef X
    default: return "unrecognized error code";
  }
}
