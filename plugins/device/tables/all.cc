#include "plugins/device/tables/tables.h"

// The build tells the vendors: X(amd)X(nvidia)…
#define X(name)                            \
  namespace amalgam::vendors::name {       \
  extern const cuda_shaped::Table kDevice; \
  }
AMALGAM_VENDORS
#undef X

namespace amalgam::tables {

std::span<const cuda_shaped::Table* const> all() {
#define X(name) &vendors::name::kDevice,
  static constexpr const cuda_shaped::Table* kAll[] = {AMALGAM_VENDORS};
#undef X
  return kAll;
}

const cuda_shaped::Table* of(std::string_view vendor) {
  for (const cuda_shaped::Table* table : all())
    if (table->vendor == vendor) return table;
  return nullptr;
}

}  // namespace amalgam::tables
