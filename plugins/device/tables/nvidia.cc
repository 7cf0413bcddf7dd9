// NVIDIA CUDA 11 to 13.

#include "plugins/device/cuda_shaped/table.h"

namespace amalgam::vendors::nvidia {
namespace {

constexpr const char* kRuntimes[] = {"libcudart.so.13", "libcudart.so.12", "libcudart.so.11.0"};  // [C], .13 [U]
constexpr cuda_shaped::PointerLayout kPointers[] = {
    {.since = 0, .type_offset = 0, .device_offset = 4, .pinned = 1, .device = 2, .managed = 3},  // [C] since 11
};

}  // namespace

extern constexpr cuda_shaped::Table kDevice = {
    .vendor = "nvidia",
    .prefix = "cuda",
    .runtimes = kRuntimes,
    .driver = "libcuda.so.1",              // [C]
    .current_context = "cuCtxGetCurrent",  // [H]
    .primary_state = nullptr,
    .device_name = "cuDeviceGetName",
    .capture_info = "cuStreamGetCaptureInfo_v2",  // six parameters in every driver since 11.3; the runtime's changed
    .address_range_handle = "cuMemGetHandleForAddressRange",
    .pci_vendor = 0x10de,  // [H]
    .marks = {},
    .renames = {},
    .pointers = kPointers,
    .values = {.write = "cuStreamWriteValue64_v2",  // [U] for the suffix: 11.7 and newer
               .wait = "cuStreamWaitValue64_v2",
               .write_before = "cuStreamWriteValue64",
               .wait_before = "cuStreamWaitValue64",
               .masked = false,
               .attribute = 122},  // [H] 64-bit stream memory operations, second version
    .stream_non_blocking = 1,      // [H]
    .event_without_timing = 2,     // [H]
    .host_portable_mapped = 3,     // [H] portable 1, mapped 2
    .ipc_lazy_peer = 1,            // [H]
    .not_ready = 600,              // [U]
    .dma_buf_attribute = 124,      // [H]
};

}  // namespace amalgam::vendors::nvidia
