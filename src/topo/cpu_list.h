#pragma once

// CPU sets in the kernel's list form ("0-3,8"), as in /proc and /sys. Lenient: what is not a number ends the list.

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace amalgam::topo {

inline constexpr std::uint32_t kMostCpus = 65536;  // numbers from here on are not believed

std::vector<std::uint32_t> parse_cpu_list(std::string_view text);  // ascending, no duplicates

using CpuRange = std::pair<std::uint32_t, std::uint32_t>;  // first, last
std::vector<CpuRange> to_ranges(const std::vector<std::uint32_t>& cpus);

}  // namespace amalgam::topo
