// AMD RCCL: NCCL's names in a file of another name.

#include "plugins/island/nccl_shaped/table.h"

namespace amalgam::vendors::amd {
namespace {

constexpr const char* kSonames[] = {"librccl.so.1"};              // [H]
constexpr const char* kTorch[] = {"librccl.so.1", "librccl.so"};  // [C] the wheels bundle it beside libtorch
constexpr const char* kFolders[] = {"/opt/rocm/lib"};             // [C]

}  // namespace

extern constexpr nccl_shaped::Table kCollectives = {
    .vendor = "amd", .name = "RCCL", .sonames = kSonames, .torch = kTorch, .folders = kFolders, .oldest = 21000};

}  // namespace amalgam::vendors::amd
