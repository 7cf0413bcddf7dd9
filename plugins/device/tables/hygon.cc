// Hygon DTK: a descendant of HIP 5 whose headers are not public, under a file name of its own. Its numbers that changed
// with HIP 6 are uncertain, so the memory types are learned. Its CUDA face is a shim over the same runtime and is not
// needed.

#include "plugins/device/cuda_shaped/table.h"

namespace amalgam::vendors::hygon {
namespace {

constexpr const char* kRuntimes[] = {"libgalaxyhip.so.5", "libamdhip64.so.5", "libamdhip64.so"};  // [C], aliases [R]
constexpr const char* kMarks[] = {"galaxyhip", "/opt/dtk", "hyhal", "Hygon", "DCU"};  // [C] of paths, [U] of names
constexpr cuda_shaped::Rename kRenames[] = {
    {"HostAlloc", "hipHostMalloc"},  // [U] AMD's
    {"FreeHost", "hipHostFree"},     // [U]
};
constexpr cuda_shaped::PointerLayout kPointers[] = {
    {.since = 0,  // [U] HIP 5 and 6 agree on the places
     .type_offset = 0,
     .device_offset = 4,
     .pinned = cuda_shaped::kLearned,
     .device = cuda_shaped::kLearned,
     .managed = -2},
};

}  // namespace

extern constexpr cuda_shaped::Table kDevice = {
    .vendor = "hygon",
    .prefix = "hip",
    .runtimes = kRuntimes,
    .driver = nullptr,
    .current_context = nullptr,
    .primary_state = "hipDevicePrimaryCtxGetState",  // [U]
    .device_name = "hipDeviceGetName",               // [U]
    .capture_info = "hipStreamGetCaptureInfo_v2",    // [U] likely missing
    .address_range_handle = nullptr,                 // [C] no dma-buf
    .pci_vendor = 0x1d94,                            // [C]
    .marks = kMarks,
    .renames = kRenames,
    .pointers = kPointers,
    .values = {.write = nullptr,  // only seen in its CUDA face
               .wait = nullptr,
               .write_before = nullptr,
               .wait_before = nullptr,
               .masked = true,
               .attribute = -1},
    .stream_non_blocking = 1,   // [U] AMD's throughout
    .event_without_timing = 2,  // [U]
    .host_portable_mapped = 3,  // [U]
    .ipc_lazy_peer = 1,         // [U] HIP 5's 0 may be right
    .not_ready = 600,           // [U]
    .dma_buf_attribute = -1,
};

}  // namespace amalgam::vendors::hygon
