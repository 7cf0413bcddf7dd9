#pragma once

// The functions of one NCCL-shaped library, found by name. What it lacks is null.
// Shapes from: NCCL's documentation, "NCCL API"; sizes as measured on 2.14 to 2.32.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace amalgam::nccl_shaped {

struct UniqueId {
  std::array<std::byte, 128> bytes;
};

struct SimulationInfo {
  std::size_t size = sizeof(SimulationInfo);
  std::uint32_t magic = 0x74685283;
  std::uint32_t version = 0;
  float microseconds = -1;
};
static_assert(sizeof(SimulationInfo) == 24);

struct Calls {
  std::string missing;  // the first function that is needed and not there; empty: all are
#define X(name, parameters, needed) int(*name) parameters = nullptr;
#include "plugins/island/nccl_shaped/calls.inc"
#undef X
  const char* (*GetErrorString)(int) = nullptr;
  const char* (*GetLastError)(void*) = nullptr;
};

Calls load(void* handle);

}  // namespace amalgam::nccl_shaped
