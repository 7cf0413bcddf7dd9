#pragma once

// The vendors whose collective libraries look like NCCL: one file of constants for each in this folder, named in
// plugins/meson.build.

#include <span>

#include "plugins/island/nccl_shaped/table.h"

namespace amalgam::tables {

std::span<const nccl_shaped::Table* const> all_collective_libraries();

}  // namespace amalgam::tables
