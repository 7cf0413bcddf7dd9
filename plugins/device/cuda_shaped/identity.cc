#include "plugins/device/cuda_shaped/identity.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fstream>

namespace amalgam::cuda_shaped {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

}  // namespace

Match match(const Table& table, const Device& device) {
  if (device.pci_vendor) return *device.pci_vendor == table.pci_vendor ? Match::kSure : Match::kNo;
  const std::string model = lower(device.model), library = lower(device.library);
  for (const char* mark : table.marks)
    if (model.find(lower(mark)) != std::string::npos || library.find(lower(mark)) != std::string::npos)
      return Match::kSure;
  return table.marks.empty() ? Match::kPossible : Match::kNo;
}

std::optional<std::uint16_t> pci_vendor_of(const std::string& bus_id) {
  std::ifstream file("/sys/bus/pci/devices/" + lower(bus_id) + "/vendor");
  std::string text;
  if (!std::getline(file, text) || !text.starts_with("0x")) return std::nullopt;
  std::uint16_t vendor = 0;
  const auto parsed = std::from_chars(text.data() + 2, text.data() + text.size(), vendor, 16);
  return parsed.ec == std::errc() ? std::optional(vendor) : std::nullopt;
}

}  // namespace amalgam::cuda_shaped
