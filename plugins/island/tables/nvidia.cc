// NVIDIA NCCL. Sources are graded as in the device tables: [H] header or file seen, [C] seen at call sites, [U] unsure.

#include "plugins/island/nccl_shaped/table.h"

namespace amalgam::vendors::nvidia {
namespace {

constexpr const char* kSonames[] = {"libnccl.so.2"};                                      // [H]
constexpr const char* kTorch[] = {"../../nvidia/nccl/lib/libnccl.so.2", "libnccl.so.2"};  // [H] the wheels' layout
constexpr const char* kFolders[] = {"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu",  // [C]
                                    "/usr/local/cuda/lib64", "/usr/local/nccl/lib"};

}  // namespace

extern constexpr nccl_shaped::Table kCollectives = {
    .vendor = "nvidia", .name = "NCCL", .sonames = kSonames, .torch = kTorch, .folders = kFolders, .oldest = 21000};

}  // namespace amalgam::vendors::nvidia
