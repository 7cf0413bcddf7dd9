// Iluvatar ixCCL: NCCL's names, under NCCL's file name or its own.

#include "plugins/island/nccl_shaped/table.h"

namespace amalgam::vendors::iluvatar {
namespace {

constexpr const char* kSonames[] = {"libixccl.so", "libnccl.so.2", "libnccl.so"};       // [C], order [U]
constexpr const char* kFolders[] = {"/usr/local/corex/lib64", "/usr/local/corex/lib"};  // [C]

}  // namespace

extern constexpr nccl_shaped::Table kCollectives = {
    .vendor = "iluvatar", .name = "ixCCL", .sonames = kSonames, .torch = {}, .folders = kFolders, .oldest = 20700};

}  // namespace amalgam::vendors::iluvatar
