#pragma once

// ncclConfig_t as a library of some version reads it, made from what the caller set.
//
// A caller's own struct is never passed on: it may be of a newer version than the library, and two versions gave a
// meaning to what was padding before.

#include <array>
#include <cstddef>

#include "base/island.h"

namespace amalgam::nccl_shaped {

class ConfigBytes {
 public:
  ConfigBytes(const island::Config& config, int version);  // the texts stay `config`'s
  void* data() { return bytes_.data(); }
  std::size_t size() const { return size_; }

 private:
  alignas(8) std::array<std::byte, 120> bytes_{};
  std::size_t size_ = 0;
};

}  // namespace amalgam::nccl_shaped
