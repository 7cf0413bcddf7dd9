#include "plan/hierarchy.h"

#include <algorithm>
#include <numeric>

namespace amalgam::plan {
namespace {

constexpr std::uint64_t kLargestMultiple = 4096;

bool has_blocks(Collective collective) {
  return collective == Collective::kReduceScatter || collective == Collective::kAllGather;
}

}  // namespace

Hierarchy::Hierarchy(const std::vector<std::vector<int>>& groups, int ranks)
    : island_of_(static_cast<std::size_t>(ranks), -1), place_of_(static_cast<std::size_t>(ranks), 0) {
  const auto all = static_cast<std::size_t>(ranks);
  std::vector<const std::vector<int>*> of(all);
  for (const std::vector<int>& island : groups)
    for (int rank : island) of[rank] = &island;
  for (int rank = 0; rank < ranks; ++rank) {
    if (island_of_[rank] >= 0) continue;
    islands_.push_back(of[rank] != nullptr ? *of[rank] : std::vector<int>{rank});
    for (std::size_t place = 0; place < islands_.back().size(); ++place) {
      island_of_[islands_.back()[place]] = static_cast<int>(islands_.size()) - 1;
      place_of_[islands_.back()[place]] = static_cast<int>(place);
    }
  }
}

bool Hierarchy::splits(Collective collective) {
  switch (collective) {
    case Collective::kAllReduce:
    case Collective::kReduce:
    case Collective::kBroadcast:
    case Collective::kReduceScatter:
    case Collective::kAllGather: return true;
    default: return false;
  }
}

Range Hierarchy::held(int island, int place, std::uint64_t count) const {
  const auto ranks = static_cast<std::uint64_t>(size_of(island));
  const std::uint64_t part = count / ranks;
  const std::uint64_t first = static_cast<std::uint64_t>(place) * part;
  return {first, place + 1 == size_of(island) ? count - first : part};
}

int Hierarchy::deputy(int island, int block) const {
  const std::vector<int>& ranks = islands_[island];
  const auto own_before = std::lower_bound(ranks.begin(), ranks.end(), block) - ranks.begin();
  return ranks[static_cast<std::size_t>(block - own_before) % ranks.size()];
}

std::uint64_t Hierarchy::most_blocks(int island) const {
  const int others = ranks() - size_of(island);
  return static_cast<std::uint64_t>(std::max(1, (others + size_of(island) - 1) / size_of(island)));
}

std::uint64_t Hierarchy::multiple() const {
  std::uint64_t all = 1;
  for (const std::vector<int>& island : islands_) {
    all = std::lcm(all, static_cast<std::uint64_t>(island.size()));
    if (all > kLargestMultiple) return 1;
  }
  return all;
}

std::vector<Hierarchy::Part> Hierarchy::parts(Collective collective, int root, std::uint64_t count) const {
  std::vector<Part> parts;
  if (has_blocks(collective)) {
    for (int block = 0; block < ranks(); ++block) {
      Part& part = parts.emplace_back(Part{{}, island_of(block), block, {0, count}});
      for (int island = 0; island < islands(); ++island)
        part.team.push_back(island == part.root ? block : deputy(island, block));
    }
    return parts;
  }
  std::vector<std::uint64_t> cuts{0, count};
  for (int island = 0; island < islands(); ++island)
    for (int place = 1; place < size_of(island); ++place) cuts.push_back(held(island, place, count).first);
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    const bool rooted = collective != Collective::kAllReduce;
    Part& part = parts.emplace_back(Part{{}, rooted ? island_of(root) : 0, -1, {cuts[i], cuts[i + 1] - cuts[i]}});
    for (int island = 0; island < islands(); ++island) {
      const std::uint64_t each = count / static_cast<std::uint64_t>(size_of(island));
      const auto last = static_cast<std::uint64_t>(size_of(island) - 1);
      part.team.push_back(islands_[island][each == 0 ? last : std::min(last, cuts[i] / each)]);
    }
  }
  return parts;
}

}  // namespace amalgam::plan
