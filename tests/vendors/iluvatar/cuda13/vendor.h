#pragma once

// An Iluvatar device behind the face that NVIDIA's programs link, for PyTorch's CUDA wheel; its collective library at
// the level of NCCL 2.20.

#include <cstdint>

#define STANDIN_BASE 0x220000000000
#define STANDIN_ILUVATAR_CUDA13
#define STANDIN_CUDA13         // capture, graphs, devices' properties, the driver: all that PyTorch imports
#define STANDIN_STREAM_VALUES  // a stream waits for and writes 64-bit values
#define STANDIN_CCL_VERSION 22005

extern "C" {
struct cudaPointerAttributes {
  int type;
  int device;
  void* devicePointer;
  void* hostPointer;
  long reserved[8];
};
}
static_assert(sizeof(cudaPointerAttributes) == 88);  // [H] since 13; 24 before

namespace face {

inline constexpr const char* kVendor = "iluvatar";
inline constexpr const char* kDeviceName = "Iluvatar BI-V150 (stand-in)";
inline constexpr int kPciDomain = 0x7ffb;
inline constexpr const char* kVisibleVariable = "CUDA_VISIBLE_DEVICES";
inline constexpr const char* kUuid = "standin-iluvatar";  // the last byte is the device's number
inline constexpr int kVersion = 13000;
// Of a pointer's attributes; kUnknownPointer: an error for memory that is not the runtime's, or 0 and a type for it.
inline constexpr int kUnknownPointer = 0, kPinnedType = 1, kDeviceType = 2;  // [H]
inline constexpr int kNoDeviceNumber = -2;                                   // [U] of memory without a device
inline constexpr unsigned kHostAllocFlags = 7, kHostRegisterFlags = 15;      // [H]
inline constexpr const char* kChannelsVariable = "CUDA_DEVICE_MAX_CONNECTIONS";
inline constexpr const char* kBlockingVariable = "CUDA_LAUNCH_BLOCKING";
inline constexpr int kChannels = 8;
inline constexpr int kStreamValuesAttribute = 122;  // [H]

}  // namespace face
