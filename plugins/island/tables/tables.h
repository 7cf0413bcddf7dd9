#pragma once

// The vendors whose collective libraries look like NCCL.

#include <span>

#include "plugins/island/nccl_shaped/table.h"

namespace amalgam::tables {

extern const nccl_shaped::Table kNccl, kRccl, kIxccl;

std::span<const nccl_shaped::Table* const> all_collective_libraries();

}  // namespace amalgam::tables
