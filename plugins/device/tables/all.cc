#include "plugins/device/tables/tables.h"

namespace amalgam::tables {

std::span<const cuda_shaped::Table* const> all() {
  static constexpr const cuda_shaped::Table* kAll[] = {&kCorex, &kCuda, &kHip};
  return kAll;
}

}  // namespace amalgam::tables
