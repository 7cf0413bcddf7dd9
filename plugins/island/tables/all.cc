#include "plugins/island/tables/tables.h"

// The build tells the vendors: X(amd)X(nvidia)…
#define X(name)                                 \
  namespace amalgam::vendors::name {            \
  extern const nccl_shaped::Table kCollectives; \
  }
AMALGAM_VENDORS
#undef X

namespace amalgam::tables {

std::span<const nccl_shaped::Table* const> all_collective_libraries() {
#define X(name) &vendors::name::kCollectives,
  static constexpr const nccl_shaped::Table* kAll[] = {AMALGAM_VENDORS};
#undef X
  return kAll;
}

}  // namespace amalgam::tables
