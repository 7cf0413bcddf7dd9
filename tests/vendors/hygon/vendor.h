#pragma once

// Hygon's stand-in: a HIP that calls itself 6.3 and has HIP 5's numbers of memory types, without stream memory
// operations, and an RCCL of an older level.

#include <cstdint>

#include "tests/vendors/hip/names.h"

#define STANDIN_BASE 0x230000000000
#define STANDIN_CAPTURE_QUERIES
#define STANDIN_CCL_VERSION 21304  // [U]
#define STANDIN_CCL_GATHER
#define ncclAlltoAll ncclAllToAll

extern "C" {
struct cudaPointerAttributes {  // [U] HIP 5's and 6's places
  int type;
  int device;
  void* devicePointer;
  void* hostPointer;
  int isManaged;
  unsigned allocationFlags;
};
}
static_assert(sizeof(cudaPointerAttributes) == 32);

namespace face {

inline constexpr const char* kVendor = "hygon";
inline constexpr const char* kDeviceName = "Stand-in DCU";
inline constexpr int kPciDomain = 0x7ffc;
inline constexpr const char* kVisibleVariable = "HIP_VISIBLE_DEVICES";
inline constexpr int kVersion = 60324000;                                     // [C] as torch reports it
inline constexpr int kUnknownPointer = -1, kPinnedType = 0, kDeviceType = 1;  // [U] HIP 5's
inline constexpr int kNoDeviceNumber = -2;
inline constexpr unsigned kHostAllocFlags = 0xe0000007, kHostRegisterFlags = 0xf;  // [U]
inline constexpr const char* kChannelsVariable = "GPU_MAX_HW_QUEUES";
inline constexpr const char* kBlockingVariable = "HIP_LAUNCH_BLOCKING";
inline constexpr int kChannels = 4;                // [U]
inline constexpr int kStreamValuesAttribute = -1;  // none

}  // namespace face
