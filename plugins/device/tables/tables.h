#pragma once

// The vendors whose runtimes look like CUDA's: one file of constants for each in this folder, named in
// plugins/meson.build.

#include <span>
#include <string_view>

#include "plugins/device/cuda_shaped/table.h"

namespace amalgam::tables {

std::span<const cuda_shaped::Table* const> all();
const cuda_shaped::Table* of(std::string_view vendor);  // null: none of them

}  // namespace amalgam::tables
