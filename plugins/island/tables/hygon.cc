// Hygon's RCCL, as DTK ships it: AMD's file name in DTK's folders.

#include "plugins/island/nccl_shaped/table.h"

namespace amalgam::vendors::hygon {
namespace {

constexpr const char* kSonames[] = {"librccl.so.1"};                       // [C]
constexpr const char* kFolders[] = {"/opt/dtk/rccl/lib", "/opt/dtk/lib"};  // [C]

}  // namespace

extern constexpr nccl_shaped::Table kCollectives = {
    .vendor = "hygon", .name = "DTK RCCL", .sonames = kSonames, .torch = {}, .folders = kFolders, .oldest = 20700};

}  // namespace amalgam::vendors::hygon
