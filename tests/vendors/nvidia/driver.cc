// The driver's calls beside streams and kernels. They take no part in the runtime's last error, and looking makes no
// context.

#include <cstring>

#include "tests/vendors/nvidia/cuda13.h"
#include "tests/vendors/nvidia/state.h"

using face::kInvalidDevice;
using face::kInvalidValue;
using face::kNotSupported;
using face::kSuccess;

namespace {

template <typename T>
CUresult give(void* to, T value) {
  std::memcpy(to, &value, sizeof value);
  return kSuccess;
}

// [H] the attributes' numbers
CUresult give_attribute(void* to, int attribute, const standin::Range& range, CUdeviceptr pointer) {
  const bool on_device = range.kind == standin::Kind::kDevice;
  switch (attribute) {
    case 2: return give(to, on_device ? 2U : 1U);  // memory type
    case 3: return give(to, pointer);              // as the device sees it
    case 4: return on_device ? kInvalidValue : give(to, pointer);
    case 7: return give(to, range.base);  // an id of the buffer; not renewed when its place is used again
    case 8: return give(to, char{0});     // managed
    case 9: return give(to, range.device);
    case 11: return give(to, range.base);
    case 12: return give(to, range.bytes);
    case 13: return give(to, char{1});  // mapped
    default: return kNotSupported;
  }
}

}  // namespace

CUresult cuInit(unsigned flags) { return flags == 0 ? kSuccess : kInvalidValue; }
CUresult cuDriverGetVersion(int* version) { return give(version, face::kVersion); }
CUresult cuDeviceGetCount(int* count) { return give(count, standin::device_count()); }
CUresult cuDeviceGet(int* device, int ordinal) {
  return face::exists(ordinal) ? give(device, ordinal) : CUresult{kInvalidDevice};
}
CUresult cuDeviceGetAttribute(int* value, int attribute, int device) {
  return face::attribute(value, attribute, device);
}

CUresult cuDeviceGetUuid_v2(void* uuid, int device) {
  if (!face::exists(device)) return kInvalidDevice;
  face::uuid_of(uuid, device);
  return kSuccess;
}

CUresult cuDeviceTotalMem_v2(size_t* bytes, int device) {
  return face::exists(device) ? give(bytes, standin::device_bytes()) : CUresult{kInvalidDevice};
}

CUresult cuDevicePrimaryCtxGetState(int device, unsigned* flags, int* active) {
  if (!face::exists(device)) return kInvalidDevice;
  *flags = 0;
  *active = face::device_has_context(device) ? 1 : 0;
  return kSuccess;
}

CUresult cuDevicePrimaryCtxRetain(void** context, int device) {
  if (!face::exists(device)) return kInvalidDevice;
  return give(context, face::context_of(device));
}

CUresult cuDevicePrimaryCtxRelease_v2(int device) { return face::exists(device) ? kSuccess : kInvalidDevice; }

CUresult cuCtxSetCurrent(void* context) {
  if (context == nullptr) {
    face::leave();
    return kSuccess;
  }
  for (int device = 0; device < standin::device_count(); ++device)
    if (context == face::context_of(device)) return cudaSetDevice(device);
  return face::kInvalidContext;
}

CUresult cuCtxGetDevice(int* device) {
  return face::has_context() ? give(device, face::current_device()) : CUresult{face::kInvalidContext};
}

CUresult cuGetErrorName(CUresult error, const char** name) { return give(name, cudaGetErrorName(error)); }
CUresult cuGetErrorString(CUresult error, const char** text) { return give(text, cudaGetErrorString(error)); }

CUresult cuPointerGetAttribute(void* data, int attribute, CUdeviceptr pointer) {
  const auto range = standin::find(reinterpret_cast<void*>(pointer));
  return range ? give_attribute(data, attribute, *range, pointer) : CUresult{kInvalidValue};
}

CUresult cuMemGetAddressRange_v2(CUdeviceptr* base, size_t* bytes, CUdeviceptr pointer) {
  const auto range = standin::find(reinterpret_cast<void*>(pointer));
  if (!range) return kInvalidValue;
  if (base != nullptr) *base = range->base;
  if (bytes != nullptr) *bytes = range->bytes;
  return kSuccess;
}

// No dma-buf: attribute 124 says so too.
CUresult cuMemGetHandleForAddressRange(void* handle, CUdeviceptr pointer, size_t bytes, int type,
                                       unsigned long long flags) {
  return kNotSupported;
}
