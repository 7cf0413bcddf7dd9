// Iluvatar CoreX: CUDA's names at the level of CUDA 10.2. Its headers are not public, so a function may be missing at
// any place; and as it answers to CUDA's file names, the device must show that it is Iluvatar's.

#include "plugins/device/cuda_shaped/table.h"

namespace amalgam::vendors::iluvatar {
namespace {

constexpr const char* kRuntimes[] = {"libcudart.so.10.2", "libcudart.so", "libcudart.so.12", "libcudart.so.13"};  // [U]
constexpr const char* kMarks[] = {"corex", "iluvatar", "BI-V", "MR-V"};  // [R] of paths and device names
constexpr cuda_shaped::PointerLayout kPointers[] = {
    // [U] 10.2 begins with a deprecated memoryType; a build with a newer CUDA face has the newer layout.
    {.since = 0, .type_offset = 4, .device_offset = 8, .pinned = 1, .device = 2, .managed = 3},
    {.since = 11000, .type_offset = 0, .device_offset = 4, .pinned = 1, .device = 2, .managed = 3},
};

}  // namespace

extern constexpr cuda_shaped::Table kDevice = {
    .vendor = "iluvatar",
    .prefix = "cuda",
    .runtimes = kRuntimes,
    .driver = "libcuda.so.1",  // [C]
    .current_context = "cuCtxGetCurrent",
    .primary_state = nullptr,
    .device_name = "cuDeviceGetName",
    .capture_info = "cuStreamGetCaptureInfo_v2",  // [U] likely missing
    .address_range_handle = nullptr,              // [C] dma-buf was not seen
    .pci_vendor = 0x1e3e,                         // [R]
    .marks = kMarks,
    .renames = {},
    .pointers = kPointers,
    .values = {.write = nullptr,  // [C] nobody was seen to use them
               .wait = nullptr,
               .write_before = nullptr,
               .wait_before = nullptr,
               .masked = false,
               .attribute = -1},
    .stream_non_blocking = 1,   // [C] CUDA's numbers throughout
    .event_without_timing = 2,  // [C]
    .host_portable_mapped = 3,  // [C]
    .ipc_lazy_peer = 1,         // [C]
    .not_ready = 600,           // [C]
    .dma_buf_attribute = -1,
};

}  // namespace amalgam::vendors::iluvatar
