#pragma once

// Whose device answers behind a CUDA-shaped library. Several vendors ship libcudart.so and libcuda.so.1 of their own,
// so a library's name proves nothing: the PCI bus does, else the words of the device's name and of the library's path.

#include <cstdint>
#include <optional>
#include <string>

#include "plugins/device/cuda_shaped/table.h"

namespace amalgam::cuda_shaped {

struct Device {
  std::optional<std::uint16_t> pci_vendor;  // as sysfs tells it
  std::string model;
  std::string library;  // path
};

enum class Match { kNo, kPossible, kSure };

// kPossible: nothing speaks against it, and the table's vendor is the one that owns the names (it has no marks).
Match match(const Table& table, const Device& device);

// The PCI vendor of a bus id such as "0000:3b:00.0"; none where sysfs does not show the device.
std::optional<std::uint16_t> pci_vendor_of(const std::string& bus_id);

}  // namespace amalgam::cuda_shaped
