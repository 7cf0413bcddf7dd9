#pragma once

// One vendor's collective library that has NCCL's shape. A new vendor is one file in plugins/island/tables.

#include <span>

namespace amalgam::nccl_shaped {

struct Table {
  const char* vendor;                    // of the device runtime's table
  const char* name;                      // for people
  std::span<const char* const> sonames;  // most wanted first
  std::span<const char* const> torch;    // places relative to the folder of a mapped libtorch
  std::span<const char* const> folders;  // of the vendor's own installation
  int oldest;                            // version code below which the library is refused
};

}  // namespace amalgam::nccl_shaped
