#include "cluster/cluster.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"

namespace amalgam::cluster {

int Cluster::ranks_in(int domain) const {
  return static_cast<int>(
      std::count_if(ranks.begin(), ranks.end(), [domain](const Rank& rank) { return rank.domain == domain; }));
}

std::uint64_t Cluster::hash() const { return Hash().add(print(*this)).value(); }

Cluster subset(const Cluster& cluster, const std::vector<int>& ranks) {
  Cluster part;
  std::vector<int> domains(cluster.domains.size(), -1), islands(cluster.islands.size(), -1);
  for (int rank : ranks) {
    Rank chosen = cluster.ranks[rank];
    if (int& domain = domains[chosen.domain]; domain < 0) {
      domain = static_cast<int>(part.domains.size());
      part.domains.push_back(cluster.domains[chosen.domain]);
    }
    if (int& island = islands[chosen.island]; island < 0) {
      island = static_cast<int>(part.islands.size());
      part.islands.push_back(cluster.islands[chosen.island]);
    }
    chosen.domain = domains[chosen.domain];
    chosen.island = islands[chosen.island];
    part.ranks.push_back(std::move(chosen));
  }
  return part;
}

// Numbers are printed in full: short forms are for people who write files.
std::string print(const Cluster& cluster) {
  std::string text = "cluster\n";
  for (std::size_t i = 0; i < cluster.islands.size(); ++i)
    text += fmt::format("island {} vendor {}\n", i, cluster.islands[i].vendor);
  for (std::size_t i = 0; i < cluster.domains.size(); ++i) {
    const Domain& domain = cluster.domains[i];
    text += fmt::format("domain {} cores {} memory {} latency {}\n", i, domain.cores, domain.bytes_per_second,
                        domain.latency_ns);
  }
  for (std::size_t i = 0; i < cluster.ranks.size(); ++i) {
    const Rank& rank = cluster.ranks[i];
    text += fmt::format("rank {} domain {} island {}", i, rank.domain, rank.island);
    for (const Rail& rail : rank.rails)
      text += fmt::format(" rail {} {} latency {}", rail.network, rail.bytes_per_second, rail.latency_ns);
    text += '\n';
  }
  return text;
}

Cluster uniform(int ranks, int ranks_per_domain, std::uint64_t cores_per_domain) {
  Cluster cluster;
  cluster.islands.push_back({});
  for (int rank = 0; rank < ranks; ++rank) {
    if (rank % ranks_per_domain == 0) cluster.domains.push_back({cores_per_domain, 10'000'000'000, 200});
    cluster.ranks.push_back({rank / ranks_per_domain, 0, {{"eth0", 1'250'000'000, 20'000}}});
  }
  return cluster;
}

}  // namespace amalgam::cluster
