#include "comm/islands.h"

#include <fmt/format.h>

#include <algorithm>

namespace amalgam::comm {
namespace {

constexpr const char* kHost = "host";
constexpr const char* kAlone = "alone";

bool joins(const StackFacts& rank, const StackFacts& island) {
  if (rank.label == kAlone || rank.label != island.label || rank.vendor != island.vendor) return false;
  if (rank.vendor == kHost) return true;
  return !rank.library.empty() && rank.library == island.library && rank.library_version == island.library_version;
}

// "0-2, 5"
std::string list_of(const std::vector<int>& ranks) {
  std::string text;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    std::size_t last = i;
    while (last + 1 < ranks.size() && ranks[last + 1] == ranks[last] + 1) ++last;
    text += fmt::format("{}{}", text.empty() ? "" : ", ", ranks[i]);
    if (last > i) text += fmt::format("-{}", ranks[last]);
    i = last;
  }
  return text;
}

}  // namespace

Islands islands_of(const std::vector<StackFacts>& ranks) {
  Islands islands;
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    std::size_t at = 0;
    while (at < islands.all.size() && !joins(ranks[r], islands.all[at].stack)) ++at;
    if (at == islands.all.size()) islands.all.push_back({ranks[r], {}});
    islands.all[at].ranks.push_back(static_cast<int>(r));
  }
  return islands;
}

const Islands::Island& Islands::of(int rank) const {
  return *std::find_if(all.begin(), all.end(), [rank](const Island& island) {
    return std::find(island.ranks.begin(), island.ranks.end(), rank) != island.ranks.end();
  });
}

Carrier Islands::carrier() const {
  bool devices = false;
  for (const Island& island : all) devices = devices || island.stack.vendor != kHost;
  if (!devices) return Carrier::kHost;
  return all.size() == 1 && all.front().has_library() ? Carrier::kDelegate : Carrier::kMixed;
}

std::string Islands::describe() const {
  std::string text;
  for (const Island& island : all) {
    text += fmt::format("{}{}", text.empty() ? "" : "; ", island.stack.vendor);
    if (!island.stack.library.empty())
      text += fmt::format(" {} {}", island.stack.library, island.stack.library_version);
    text += fmt::format(": rank{} {}", island.ranks.size() == 1 ? "" : "s", list_of(island.ranks));
  }
  return text;
}

std::string Islands::describe_libraries() const {
  std::string text;
  for (const Island& island : all) {
    if (island.stack.vendor == kHost) continue;
    const std::string& from = island.stack.library_from;
    const std::string line =
        fmt::format("  {}: {}\n", island.stack.vendor, from.empty() ? "no library of its own" : from);
    if (text.find(line) == text.npos) text += line;  // islands of one vendor are often alike
  }
  return text;
}

}  // namespace amalgam::comm
