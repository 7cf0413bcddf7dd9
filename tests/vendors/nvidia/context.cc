// What tells a device rank from a CPU rank, what a device is called, and the thread's capture mode.

#include <cstdio>
#include <cstring>

#include "tests/vendors/nvidia/state.h"

using face::answer;

CUresult cuCtxGetCurrent(void** context) {
  *context = face::has_context() ? face::context_of(face::current_device()) : nullptr;
  return face::kSuccess;
}

CUresult cuDeviceGetName(char* name, int length, int device) {
  if (!face::exists(device)) return face::kInvalidDevice;
  std::snprintf(name, static_cast<size_t>(length), "%s", face::kDeviceName);
  return face::kSuccess;
}

// A PCI domain that no machine has, so that nobody finds another device's vendor under it.
cudaError_t cudaDeviceGetPCIBusId(char* id, int length, int device) {
  if (!face::exists(device)) return answer(face::kInvalidDevice);
  std::snprintf(id, static_cast<size_t>(length), "%04x:%02x:00.0", face::kPciDomain, standin::ordinal(device) + 1);
  return answer(face::kSuccess);
}

#ifndef STANDIN_CUDA13  // whose own is in devices.cc
cudaError_t cudaDeviceGetAttribute(int* value, int attribute, int device) {
  if (!face::exists(device)) return answer(face::kInvalidDevice);
  *value = attribute == face::kStreamValuesAttribute && face::has_stream_values() ? 1 : 0;
  return answer(face::kSuccess);
}
#endif

#ifdef STANDIN_CAPTURE_QUERIES
cudaError_t cudaThreadExchangeStreamCaptureMode(int* mode) {
  thread_local int current = 0;  // global, as a thread begins
  if (*mode < 0 || *mode > 2) return answer(face::kInvalidValue);
  const int before = current;
  current = *mode;
  *mode = before;
  return answer(face::kSuccess);
}

// Nothing can be captured.
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, int* status) {
  face::stream_of("cudaStreamIsCapturing", stream);
  *status = 0;
  return answer(face::kSuccess);
}
#endif

#ifndef STANDIN_CUDA13  // whose own is in errors.cc
const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case face::kSuccess: return "cudaSuccess";
    case face::kInvalidValue: return "cudaErrorInvalidValue";
    case face::kOutOfMemory: return "cudaErrorMemoryAllocation";
    case face::kInvalidDevice: return "cudaErrorInvalidDevice";
    case face::kNotReady: return "cudaErrorNotReady";
    case face::kNotSupported: return "cudaErrorNotSupported";
    default: return "unrecognized error code";
  }
}

const char* cudaGetErrorString(cudaError_t error) { return cudaGetErrorName(error); }
#endif
