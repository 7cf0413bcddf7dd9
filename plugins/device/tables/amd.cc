// AMD HIP 5 to 7.

#include "plugins/device/cuda_shaped/table.h"

namespace amalgam::vendors::amd {
namespace {

constexpr const char* kRuntimes[] = {"libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5"};  // [H]
constexpr cuda_shaped::Rename kRenames[] = {
    {"HostAlloc", "hipHostMalloc"},  // [H]
    {"FreeHost", "hipHostFree"},     // [H]
};
constexpr cuda_shaped::PointerLayout kPointers[] = {
    {.since = 0, .type_offset = 0, .device_offset = 4, .pinned = 0, .device = 1, .managed = 3},         // [H] 5.2
    {.since = 60000000, .type_offset = 0, .device_offset = 4, .pinned = 1, .device = 2, .managed = 3},  // [H] 6.3
};

}  // namespace

extern constexpr cuda_shaped::Table kDevice = {
    .vendor = "amd",
    .prefix = "hip",
    .runtimes = kRuntimes,
    .driver = nullptr,
    .current_context = nullptr,
    .primary_state = "hipDevicePrimaryCtxGetState",  // [U]
    .device_name = "hipDeviceGetName",
    .capture_info = "hipStreamGetCaptureInfo_v2",              // [U]
    .address_range_handle = "hipMemGetHandleForAddressRange",  // [R] from 7 on
    .pci_vendor = 0x1002,                                      // [H]
    .marks = {},
    .renames = kRenames,
    .pointers = kPointers,
    .values = {.write = "hipStreamWriteValue64",  // [H]
               .wait = "hipStreamWaitValue64",    // [H] with a mask
               .write_before = nullptr,
               .wait_before = nullptr,
               .masked = true,
               .attribute = 10013},  // [H] can use stream wait value
    .stream_non_blocking = 1,        // [H]
    .event_without_timing = 2,       // [H]
    .host_portable_mapped = 3,       // [H]
    .ipc_lazy_peer = 1,              // [H] 6.3; 5.2 has 0 and takes 1 as well [U]
    .not_ready = 600,                // [H]
    .dma_buf_attribute = -1,
};

}  // namespace amalgam::vendors::amd
