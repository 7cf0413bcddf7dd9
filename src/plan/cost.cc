#include "plan/cost.h"

#include <algorithm>
#include <bit>
#include <map>
#include <string>
#include <utility>

namespace amalgam::plan {
namespace {

constexpr std::uint64_t kCap = std::uint64_t{1} << 60;
constexpr std::uint64_t kSecond = 1'000'000'000;
// A rank without rails that must leave its domain: slow enough that no plan is chosen for it.
constexpr std::uint64_t kNoRailSpeed = 10'000'000;
constexpr std::uint64_t kNoRailLatency = 100'000;

// Partner of rank r, or -1.
using Partner = int (*)(int rank, int ranks, int distance);

int next_rank(int rank, int ranks, int) { return (rank + 1) % ranks; }

int across(int rank, int ranks, int distance) {
  const int partner = rank ^ distance;
  return partner < ranks ? partner : -1;
}

// Speeds of the ranks' rails while a given set of ranks uses them.
class Rails {
 public:
  explicit Rails(const cluster::Cluster& cluster) : cluster_(cluster) {}

  void add_user(int rank) {
    for (const cluster::Rail& rail : at(rank).rails) ++users_[{at(rank).domain, rail.network}];
  }

  std::uint64_t speed(int rank) const {
    std::uint64_t sum = 0;
    for (const cluster::Rail& rail : at(rank).rails) {
      const auto found = users_.find({at(rank).domain, rail.network});
      sum += rail.bytes_per_second / (found == users_.end() ? 1 : found->second);
    }
    return at(rank).rails.empty() ? kNoRailSpeed : std::max<std::uint64_t>(1, sum);
  }

  std::uint64_t latency(int rank) const {
    std::uint64_t worst = at(rank).rails.empty() ? kNoRailLatency : 0;
    for (const cluster::Rail& rail : at(rank).rails) worst = std::max(worst, rail.latency_ns);
    return worst;
  }

 private:
  const cluster::Rank& at(int rank) const { return cluster_.ranks[static_cast<std::size_t>(rank)]; }
  const cluster::Cluster& cluster_;
  std::map<std::pair<int, std::string>, std::uint64_t> users_;
};

class Survey {
 public:
  explicit Survey(const cluster::Cluster& cluster) : cluster_(cluster), population_(cluster.domains.size()) {
    for (const cluster::Rank& rank : cluster.ranks) ++population_[static_cast<std::size_t>(rank.domain)];
  }

  std::uint64_t population(std::size_t domain) const { return population_[domain]; }

  // Each rank exchanges with its one partner.
  Paths partners(Partner partner, int distance) const {
    Rails rails(cluster_);
    for (int rank = 0; rank < cluster_.size(); ++rank)
      if (crosses(rank, partner(rank, cluster_.size(), distance))) rails.add_user(rank);
    Paths paths;
    for (int rank = 0; rank < cluster_.size(); ++rank) {
      const int other = partner(rank, cluster_.size(), distance);
      if (other < 0 || other == rank) continue;
      if (!crosses(rank, other))
        local(rank, &paths);
      else
        wire(std::max(rails.latency(rank), rails.latency(other)), std::min(rails.speed(rank), rails.speed(other)), rank,
             &paths);
    }
    return paths;
  }

  // Each rank exchanges with every other, all at once or one rank alone; `spread`: in equal shares, so that only the
  // part that leaves the domain loads the rail.
  Paths everybody(bool at_once, bool spread) const {
    Rails rails(cluster_);
    Paths paths;
    const auto others = static_cast<std::uint64_t>(cluster_.size() - 1);
    for (int rank = 0; at_once && rank < cluster_.size(); ++rank)
      if (leaving(rank) > 0) rails.add_user(rank);
    for (int rank = 0; rank < cluster_.size(); ++rank) {
      const std::uint64_t out = leaving(rank);
      if (others > out) local(rank, &paths);
      if (out > 0)
        wire(rails.latency(rank), spread ? scale(rails.speed(rank), others, out) : rails.speed(rank), rank, &paths);
    }
    return paths;
  }

 private:
  int domain(int rank) const { return cluster_.ranks[static_cast<std::size_t>(rank)].domain; }
  bool crosses(int rank, int other) const { return other >= 0 && domain(rank) != domain(other); }
  std::uint64_t leaving(int rank) const {
    return cluster_.ranks.size() - population_[static_cast<std::size_t>(domain(rank))];
  }

  std::uint64_t local_alpha(int rank) const {
    const auto index = static_cast<std::size_t>(domain(rank));
    const cluster::Domain& domain = cluster_.domains[index];
    const std::uint64_t cores = std::max<std::uint64_t>(1, domain.cores);
    return domain.latency_ns * ((population_[index] + cores - 1) / cores);
  }
  void local(int rank, Paths* paths) const { paths->alpha_ns = std::max(paths->alpha_ns, local_alpha(rank)); }
  void wire(std::uint64_t latency, std::uint64_t speed, int rank, Paths* paths) const {
    paths->alpha_ns = std::max(paths->alpha_ns, latency + local_alpha(rank));
    if (paths->bytes_per_second == 0 || speed < paths->bytes_per_second) paths->bytes_per_second = speed;
  }

  const cluster::Cluster& cluster_;
  std::vector<std::uint64_t> population_;
};

}  // namespace

std::uint64_t scale(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  const auto result = (static_cast<Uint128>(a) * b + (c - 1)) / c;
  return result > kCap ? kCap : static_cast<std::uint64_t>(result);
}

std::uint64_t Paths::wire_ns(std::uint64_t bytes) const {
  return bytes_per_second == 0 ? 0 : scale(bytes, kSecond, bytes_per_second);
}

Fabric::Fabric(const cluster::Cluster& cluster) : ranks_(cluster.size()) {
  const Survey survey(cluster);
  neighbours = survey.partners(next_rank, 0);
  for (const cluster::Rank& rank : cluster.ranks)
    for (const cluster::Rail& rail : rank.rails) switched_ |= rail.network != cluster::kLoopback;
  pairs = survey.everybody(/*at_once=*/true, /*spread=*/true);
  rooted = survey.everybody(/*at_once=*/false, /*spread=*/true);
  link = survey.everybody(/*at_once=*/false, /*spread=*/false);
  for (int distance = 1; distance < ranks_; distance *= 2) powers.push_back(survey.partners(across, distance));
  for (std::size_t i = 0; i < cluster.domains.size(); ++i) {
    const cluster::Domain& domain = cluster.domains[i];
    const Memory memory{survey.population(i), std::max<std::uint64_t>(1, domain.cores),
                        std::max<std::uint64_t>(1, domain.bytes_per_second)};
    if (memory.ranks > 0 && std::find(memories_.begin(), memories_.end(), memory) == memories_.end())
      memories_.push_back(memory);
  }
}

std::uint64_t Fabric::work_ns(std::uint64_t busiest, std::uint64_t total) const {
  std::uint64_t worst = 0;
  for (const Memory& memory : memories_) {
    const std::uint64_t alone = scale(busiest, kSecond, memory.bytes_per_second);
    const std::uint64_t share = scale(total, memory.ranks, static_cast<std::uint64_t>(ranks_));
    worst = std::max({worst, alone, scale(scale(share, 1, memory.cores), kSecond, memory.bytes_per_second)});
  }
  return worst;
}

}  // namespace amalgam::plan
