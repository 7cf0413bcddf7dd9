#include "topo/assemble.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace amalgam::topo {
namespace {

bool both_ways(const std::vector<std::vector<bool>>& reaches, std::size_t a, std::size_t b) {
  const auto one_way = [&](std::size_t x, std::size_t y) { return y < reaches[x].size() && reaches[x][y]; };
  return one_way(a, b) && one_way(b, a);
}

Status check_dense(const std::vector<int>& domain_of, std::size_t ranks) {
  if (domain_of.size() != ranks) return Status(Code::kInvalidArgument, "domains of another number of ranks");
  int next = 0;
  for (int domain : domain_of) {
    if (domain < 0 || domain > next) return Status(Code::kInvalidArgument, "domains are not numbered by first member");
    next = std::max(next, domain + 1);
  }
  return {};
}

cluster::Domain domain_of_members(const std::vector<LocalFacts>& facts, const std::vector<int>& domain_of, int which) {
  cluster::Domain domain;
  std::set<std::pair<std::string, std::uint32_t>> cpus;  // a domain can span hosts: CPU 0 of two hosts is two cores
  bool first = true;
  for (std::size_t r = 0; r < facts.size(); ++r) {
    if (domain_of[r] != which) continue;
    for (std::uint32_t cpu : facts[r].cpus) cpus.emplace(facts[r].host, cpu);
    domain.bytes_per_second =
        first ? facts[r].bytes_per_second : std::min(domain.bytes_per_second, facts[r].bytes_per_second);
    domain.latency_ns = std::max(domain.latency_ns, facts[r].latency_ns);
    first = false;
  }
  domain.cores = std::max<std::uint64_t>(1, cpus.size());
  return domain;
}

int island_of(const std::string& vendor, cluster::Cluster* cluster) {
  for (std::size_t i = 0; i < cluster->islands.size(); ++i)
    if (cluster->islands[i].vendor == vendor) return static_cast<int>(i);
  cluster->islands.push_back({vendor});
  return static_cast<int>(cluster->islands.size()) - 1;
}

// What a rank's messages meet: its NICs, or the loopback when nobody is elsewhere.
std::vector<cluster::Rail> rails_of(const LocalFacts& facts, bool one_network) {
  std::vector<cluster::Rail> rails = facts.rails;
  if (one_network)
    for (cluster::Rail& rail : rails)
      rail = {cluster::kLoopback, std::max(rail.bytes_per_second, kLoopbackSpeed), rail.latency_ns};
  return rails;
}

}  // namespace

std::vector<int> domains_of(const std::vector<std::vector<bool>>& reaches) {
  std::vector<std::vector<std::size_t>> members;
  std::vector<int> domain_of;
  for (std::size_t r = 0; r < reaches.size(); ++r) {
    std::size_t d = 0;
    const auto joins = [&](const std::vector<std::size_t>& domain) {
      return std::all_of(domain.begin(), domain.end(), [&](std::size_t other) { return both_ways(reaches, r, other); });
    };
    while (d < members.size() && !joins(members[d])) ++d;
    if (d == members.size()) members.emplace_back();
    members[d].push_back(r);
    domain_of.push_back(static_cast<int>(d));
  }
  return domain_of;
}

Result<cluster::Cluster> assemble(const std::vector<LocalFacts>& facts, const std::vector<int>& domain_of) {
  AMALGAM_TRY(check_dense(domain_of, facts.size()));
  const bool one_network = std::all_of(facts.begin(), facts.end(), [&](const LocalFacts& other) {
    return other.machine == facts[0].machine && other.network == facts[0].network;
  });
  cluster::Cluster cluster;
  for (std::size_t r = 0; r < facts.size(); ++r) {
    if (domain_of[r] == static_cast<int>(cluster.domains.size()))
      cluster.domains.push_back(domain_of_members(facts, domain_of, domain_of[r]));
    cluster.ranks.push_back({domain_of[r], island_of(facts[r].vendor, &cluster), rails_of(facts[r], one_network)});
  }
  return cluster;
}

bool oversubscribed(const std::vector<LocalFacts>& facts, std::size_t rank) {
  std::size_t ranks = 0;
  std::set<std::uint32_t> cpus;
  for (const LocalFacts& other : facts) {
    if (other.machine != facts[rank].machine) continue;
    ++ranks;
    cpus.insert(other.cpus.begin(), other.cpus.end());
  }
  return ranks > cpus.size();
}

}  // namespace amalgam::topo
