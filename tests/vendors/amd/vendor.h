#pragma once

// AMD's stand-in: HIP 6.3 and RCCL 2.21.5.

#include <cstdint>

#include "tests/vendors/hip/names.h"

#define STANDIN_BASE 0x210000000000
#define STANDIN_STREAM_VALUES
#define STANDIN_CAPTURE_QUERIES  // asks that always say "no": nothing can be captured
#define STANDIN_CCL_VERSION 22105
#define STANDIN_CCL_GATHER         // gather, scatter and AllToAll long before NCCL
#define ncclAlltoAll ncclAllToAll  // its older spelling

extern "C" {
struct cudaPointerAttributes {
  int type;
  int device;
  void* devicePointer;
  void* hostPointer;  // two more ints behind, which nobody writes here
};
}
static_assert(sizeof(cudaPointerAttributes) == 24);

namespace face {

inline constexpr const char* kVendor = "amd";
inline constexpr const char* kDeviceName = "Stand-in AMD device";
inline constexpr int kPciDomain = 0x7ffe;
inline constexpr int kVersion = 60342134;                                    // HIP 6.3
inline constexpr int kUnknownPointer = 0, kPinnedType = 1, kDeviceType = 2;  // [H] since 6
inline constexpr int kNoDeviceNumber = -2;
inline constexpr unsigned kHostAllocFlags = 0xe0000007, kHostRegisterFlags = 0xf;  // [U]
inline constexpr const char* kChannelsVariable = "GPU_MAX_HW_QUEUES";
inline constexpr const char* kBlockingVariable = "HIP_LAUNCH_BLOCKING";
inline constexpr int kChannels = 4;
inline constexpr int kStreamValuesAttribute = 10013;  // [H]

}  // namespace face
