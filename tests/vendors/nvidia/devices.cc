// What a CUDA 13 device says of itself: an H100's numbers where they only describe, the stand-in's own abilities where
// a program would act on them.

#include <climits>
#include <cstdio>
#include <cstring>

#include "tests/vendors/nvidia/cuda13.h"
#include "tests/vendors/nvidia/state.h"

using face::answer;
using face::ask;

namespace {

struct Attribute {
  int number;  // [H]
  int value;
};
// What is not here is 0.
constexpr Attribute kAttributes[] = {
    {1, 1024},               // threads per block
    {2, 1024},               // block, x
    {3, 1024},               // block, y
    {4, 64},                 // block, z
    {5, INT_MAX},            // grid, x
    {6, 65535},              // grid, y
    {7, 65535},              // grid, z
    {8, 49152},              // shared memory per block
    {9, 65536},              // constant memory
    {10, 32},                // threads per warp
    {11, INT_MAX},           // pitch
    {12, 65536},             // registers per block
    {16, 132},               // multiprocessors
    {19, 1},                 // maps host memory
    {31, 1},                 // concurrent kernels
    {37, 5120},              // bus width
    {38, 50 << 20},          // L2
    {39, 2048},              // threads per multiprocessor
    {40, 3},                 // copy engines
    {41, 1},                 // unified addressing
    {50, face::kPciDomain},  // PCI domain
    {75, 9},                 // compute capability
    {78, 1},                 // stream priorities
    {81, 233472},            // shared memory per multiprocessor
    {82, 65536},             // registers per multiprocessor
    {91, 1},                 // registered memory by its host pointer
    {95, 1},                 // cooperative launch
    {97, 232448},            // shared memory per block, on request
    {99, 1},                 // host register
    {106, 32},               // blocks per multiprocessor
    {111, 1024},             // reserved shared memory per block
    {123, 1},                // memops that wait for NOR
    {132, 1},                // multicast: PyTorch asks before it makes a pool of NCCL's memory
};
constexpr int kLastAttribute = 147;

int value_of(int number, int device) {
  if (number == 33) return standin::ordinal(device) + 1;  // PCI bus
  if (number == face::kStreamValuesAttribute) return face::has_stream_values() ? 1 : 0;
  for (const Attribute& one : kAttributes)
    if (one.number == number) return one.value;
  return 0;
}

void describe_limits(cudaDeviceProp& properties, int device) {
  const auto size = [&](int number) { return static_cast<size_t>(value_of(number, device)); };
  properties.sharedMemPerBlock = size(8);
  properties.sharedMemPerBlockOptin = size(97);
  properties.sharedMemPerMultiprocessor = size(81);
  properties.reservedSharedMemPerBlock = size(111);
  properties.totalConstMem = size(9);
  properties.memPitch = size(11);
  properties.textureAlignment = properties.surfaceAlignment = 512;
  properties.texturePitchAlignment = 32;
  for (int i = 0; i < 3; ++i) properties.maxThreadsDim[i] = value_of(2 + i, device);
  for (int i = 0; i < 3; ++i) properties.maxGridSize[i] = value_of(5 + i, device);
}

struct Field {
  int cudaDeviceProp::*field;
  int attribute;
};
constexpr Field kFields[] = {
    {&cudaDeviceProp::maxThreadsPerBlock, 1},
    {&cudaDeviceProp::warpSize, 10},
    {&cudaDeviceProp::regsPerBlock, 12},
    {&cudaDeviceProp::multiProcessorCount, 16},
    {&cudaDeviceProp::canMapHostMemory, 19},
    {&cudaDeviceProp::concurrentKernels, 31},
    {&cudaDeviceProp::pciBusID, 33},
    {&cudaDeviceProp::pciDeviceID, 34},
    {&cudaDeviceProp::memoryBusWidth, 37},
    {&cudaDeviceProp::l2CacheSize, 38},
    {&cudaDeviceProp::maxThreadsPerMultiProcessor, 39},
    {&cudaDeviceProp::asyncEngineCount, 40},
    {&cudaDeviceProp::unifiedAddressing, 41},
    {&cudaDeviceProp::pciDomainID, 50},
    {&cudaDeviceProp::major, 75},
    {&cudaDeviceProp::minor, 76},
    {&cudaDeviceProp::streamPrioritiesSupported, 78},
    {&cudaDeviceProp::regsPerMultiprocessor, 82},
    {&cudaDeviceProp::canUseHostPointerForRegisteredMem, 91},
    {&cudaDeviceProp::cooperativeLaunch, 95},
    {&cudaDeviceProp::hostRegisterSupported, 99},
    {&cudaDeviceProp::maxBlocksPerMultiProcessor, 106},
};

std::uint64_t& peers() {  // of the current device, for the whole process: a bit for each
  static std::uint64_t enabled[64];
  return enabled[face::current_device()];
}

}  // namespace

int face::attribute(int* value, int number, int device) {
  if (!face::exists(device)) return kInvalidDevice;
  if (number < 1 || number > kLastAttribute) return kInvalidValue;
  *value = value_of(number, device);
  return kSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, int number, int device) {
  ask("cudaDeviceGetAttribute");
  return answer(face::attribute(value, number, device));
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  ask("cudaGetDeviceProperties");
  if (!face::exists(device)) return answer(face::kInvalidDevice);
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "%s", face::kDeviceName);
  face::uuid_of(properties->uuid, device);
  properties->totalGlobalMem = standin::device_bytes();
  describe_limits(*properties, device);
  for (const Field& one : kFields) properties->*one.field = value_of(one.attribute, device);
  return answer(face::kSuccess);
}

// The same on every run, and another one for each device.
void face::uuid_of(void* uuid, int device) {
  std::memcpy(uuid, kUuid, 16);
  static_cast<char*>(uuid)[15] = static_cast<char>(standin::ordinal(device));
}

cudaError_t cudaDeviceGetByPCIBusId(int* device, const char* id) {
  ask("cudaDeviceGetByPCIBusId");
  for (int one = 0; one < standin::device_count(); ++one) {
    char own[32];
    cudaDeviceGetPCIBusId(own, sizeof own, one);
    if (std::strcmp(own, id) != 0) continue;
    *device = one;
    return answer(face::kSuccess);
  }
  return answer(face::kInvalidValue);
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  ask("cudaDeviceGetStreamPriorityRange");
  if (least != nullptr) *least = 0;
  if (greatest != nullptr) *greatest = -5;  // [U] accepted and without effect
  return answer(face::kSuccess);
}

// Every device's memory is the process's, so that all reach all; a program must still ask first.
cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  ask("cudaDeviceCanAccessPeer");
  if (!face::exists(device) || !face::exists(peer)) return answer(face::kInvalidDevice);
  *can = device != peer ? 1 : 0;
  return answer(face::kSuccess);
}

cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned flags) {
  face::enter("cudaDeviceEnablePeerAccess");
  if (!face::exists(peer) || peer == face::current_device()) return answer(face::kInvalidDevice);
  if (flags != 0) return answer(face::kInvalidValue);
  const std::uint64_t bit = std::uint64_t{1} << peer;
  if ((__atomic_fetch_or(&peers(), bit, __ATOMIC_RELAXED) & bit) != 0) return answer(face::kPeerAccessAlreadyEnabled);
  return answer(face::kSuccess);
}

cudaError_t cudaDeviceDisablePeerAccess(int peer) {
  face::enter("cudaDeviceDisablePeerAccess");
  if (!face::exists(peer)) return answer(face::kInvalidDevice);
  const std::uint64_t bit = std::uint64_t{1} << peer;
  const bool was = (__atomic_fetch_and(&peers(), ~bit, __ATOMIC_RELAXED) & bit) != 0;
  return answer(was ? face::kSuccess : face::kPeerAccessNotEnabled);
}
