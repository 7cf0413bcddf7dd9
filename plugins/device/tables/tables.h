#pragma once

// The vendors whose runtimes look like CUDA's.

#include <span>

#include "plugins/device/cuda_shaped/table.h"

namespace amalgam::tables {

extern const cuda_shaped::Table kCuda, kHip, kCorex;

// In the order in which an active context is looked for: a vendor that borrows another's library names comes before it.
std::span<const cuda_shaped::Table* const> all();

}  // namespace amalgam::tables
