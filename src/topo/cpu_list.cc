#include "topo/cpu_list.h"

#include <algorithm>
#include <charconv>

namespace amalgam::topo {
namespace {

bool take_number(std::string_view* text, std::uint32_t* number) {
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *number);
  if (error != std::errc() || *number >= kMostCpus) return false;
  text->remove_prefix(static_cast<std::size_t>(end - text->data()));
  return true;
}

}  // namespace

std::vector<std::uint32_t> parse_cpu_list(std::string_view text) {
  std::vector<std::uint32_t> cpus;
  text.remove_prefix(std::min(text.size(), text.find_first_not_of(" \t")));
  for (std::uint32_t first = 0; take_number(&text, &first);) {
    std::uint32_t last = first;
    if (text.starts_with('-')) {
      text.remove_prefix(1);
      if (!take_number(&text, &last)) break;
    }
    for (std::uint32_t cpu = first; cpu <= last; ++cpu) cpus.push_back(cpu);
    if (!text.starts_with(',')) break;
    text.remove_prefix(1);
  }
  std::sort(cpus.begin(), cpus.end());
  cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
  return cpus;
}

std::vector<CpuRange> to_ranges(const std::vector<std::uint32_t>& cpus) {
  std::vector<CpuRange> ranges;
  for (std::uint32_t cpu : cpus) {
    if (!ranges.empty() && ranges.back().second + 1 == cpu)
      ranges.back().second = cpu;
    else
      ranges.emplace_back(cpu, cpu);
  }
  return ranges;
}

}  // namespace amalgam::topo
