#pragma once

// The functions of one runtime library, found by name. What a vendor lacks is null.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "plugins/device/cuda_shaped/table.h"

namespace amalgam::cuda_shaped {

struct IpcBytes {  // passed by value, as all CUDA-shaped runtimes do
  std::array<std::byte, 64> bytes;
};

struct Calls {
  std::string path;     // the runtime's file; empty: none can be opened
  std::string missing;  // the first function that is needed and not there; empty: all are
#define X(name, parameters, needed) int(*name) parameters = nullptr;
#include "plugins/device/cuda_shaped/calls.inc"
#undef X
  const char* (*GetErrorName)(int) = nullptr;
  // Of the driver, or of the runtime under another name.
  int (*CurrentContext)(void**) = nullptr;
  int (*PrimaryState)(int, unsigned*, int*) = nullptr;
  int (*DeviceGetName)(char*, int, int) = nullptr;
  int (*GetHandleForAddressRange)(void*, std::uintptr_t, std::size_t, int, unsigned long long) = nullptr;
  int (*CaptureInfo)(void*, int* status, std::uint64_t* id, void** graph, const void*** dependencies,
                     std::size_t* number) = nullptr;
  int (*WriteValue)(void* stream, std::uintptr_t, std::uint64_t, unsigned) = nullptr;
  int (*WaitValue)(void* stream, std::uintptr_t, std::uint64_t, unsigned) = nullptr;
  int (*WaitValueMasked)(void* stream, std::uintptr_t, std::uint64_t, unsigned, std::uint64_t) = nullptr;
};

// The library among those that the process has mapped; null when none of the names is. Never opens a file.
void* mapped(std::span<const char* const> names);

// All functions of the runtime behind `table`, whose driver or runtime the process has mapped.
Calls load(const Table& table);

}  // namespace amalgam::cuda_shaped
