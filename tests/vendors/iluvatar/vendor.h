#pragma once

// Iluvatar's stand-in: an old CUDA face (10.2) without stream memory operations and capture, as far as is known of
// CoreX, and an ixCCL at the level of NCCL 2.10.

#include <cstdint>

#define STANDIN_BASE 0x220000000000
#define STANDIN_CCL_VERSION 21003  // [U]; what was seen to be called was all there by then

extern "C" {
struct cudaPointerAttributes {  // [U] CUDA 10.2's
  int memoryType;               // deprecated
  int type;
  int device;
  void* devicePointer;
  void* hostPointer;
  int isManaged;
};
}
static_assert(sizeof(cudaPointerAttributes) == 40);

namespace face {

inline constexpr const char* kVendor = "iluvatar";
inline constexpr const char* kDeviceName = "Iluvatar BI-V150 (stand-in)";
inline constexpr int kPciDomain = 0x7ffd;
inline constexpr const char* kVisibleVariable = "CUDA_VISIBLE_DEVICES";
inline constexpr int kVersion = 10020;                                        // [R] "CUDA compatibility 10.2"
inline constexpr int kUnknownPointer = -1, kPinnedType = 1, kDeviceType = 2;  // [U] an older runtime refuses
inline constexpr int kNoDeviceNumber = -2;
inline constexpr unsigned kHostAllocFlags = 7, kHostRegisterFlags = 7;  // [U]
inline constexpr const char* kChannelsVariable = "CUDA_DEVICE_MAX_CONNECTIONS";
inline constexpr const char* kBlockingVariable = "CUDA_LAUNCH_BLOCKING";
inline constexpr int kChannels = 8;                // [U]
inline constexpr int kStreamValuesAttribute = -1;  // none

}  // namespace face
