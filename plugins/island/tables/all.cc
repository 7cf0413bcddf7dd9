#include "plugins/island/tables/tables.h"

namespace amalgam::tables {

std::span<const nccl_shaped::Table* const> all_collective_libraries() {
  static constexpr const nccl_shaped::Table* kAll[] = {&kNccl, &kRccl, &kIxccl};
  return kAll;
}

}  // namespace amalgam::tables
