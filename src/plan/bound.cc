// Lower bounds in nanoseconds, from bytes and speeds alone (no latency): no plan can be faster.
//
// Between domains (closed forms; D domains, n_i ranks and B_i bytes/s of rails in domain i, N ranks, M bytes as
// total_bytes() counts them, full duplex, non-blocking core):
//
//   allreduce                 max( M / min B, 2(D-1)M / ΣB )            Patarasuk and Yuan, JPDC 2009, over domains
//   allgather, reducescatter  max_i max( (N-n_i)/N, n_i/N )·M / B_i  and  (D-1)M / ΣB
//   broadcast, reduce         max( M / min B, (D-1)M / ΣB )
//   alltoall                  max_i n_i(N-n_i)/N · M / B_i
//   gather, scatter           min_i (N-n_i)/N·M / B_i                    for the luckiest root
//   send, recv                M / the fastest way between two ranks
//   alltoallv                 0: the counts are not known
//
// Inside the domain, where there is only one: what any algorithm must read and write, half the sum of both (a copy
// reads and writes a byte), spread over min(ranks, cores) cores that copy bytes_per_second each. Input and output may
// be the same memory, so one rank alone needs nothing.
//
//   allreduce N·M/(cores)   broadcast, allgather N·M/2   reduce, reducescatter (N+1)·M/2   alltoall (N-1)·M
//   gather, scatter (N-1)/N·M   send, recv M

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "plan/choose.h"
#include "plan/cost.h"

namespace amalgam::plan {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

struct Site {  // a domain with ranks
  std::uint64_t ranks = 0;
  std::uint64_t rails = 0;  // bytes per second, at least 1
};

// Ranks of one domain that name the same network share it: it counts once.
std::vector<Site> sites_of(const cluster::Cluster& cluster) {
  std::vector<std::map<std::string, std::uint64_t>> networks(cluster.domains.size());
  std::vector<Site> sites(cluster.domains.size());
  for (const cluster::Rank& rank : cluster.ranks) {
    const auto domain = static_cast<std::size_t>(rank.domain);
    ++sites[domain].ranks;
    for (const cluster::Rail& rail : rank.rails) {
      std::uint64_t& speed = networks[domain][rail.network];
      speed = std::max(speed, rail.bytes_per_second);
    }
  }
  for (std::size_t i = 0; i < sites.size(); ++i)
    for (const auto& [network, speed] : networks[i]) sites[i].rails += speed;
  std::erase_if(sites, [](const Site& site) { return site.ranks == 0; });
  return sites;
}

class Wires {
 public:
  Wires(std::vector<Site> sites, std::uint64_t ranks) : sites_(std::move(sites)), ranks_(ranks) {
    for (const Site& site : sites_) {
      sum_ += site.rails;
      least_ = std::min(least_, site.rails);
    }
  }

  std::uint64_t bound(Collective collective, std::uint64_t bytes) const {
    // A domain without a known rail: nothing can be said.
    if (sites_.size() < 2 || least_ == 0) return 0;
    const std::uint64_t crossings = sites_.size() - 1;
    switch (collective) {
      case Collective::kAllReduce: return std::max(time(bytes, least_), time(scale(bytes, 2 * crossings, 1), sum_));
      case Collective::kBroadcast:
      case Collective::kReduce: return std::max(time(bytes, least_), time(scale(bytes, crossings, 1), sum_));
      case Collective::kAllGather:
      case Collective::kReduceScatter: return std::max(shares(bytes), time(scale(bytes, crossings, 1), sum_));
      case Collective::kAllToAll: return exchange(bytes);
      case Collective::kGather:
      case Collective::kScatter: return luckiest(bytes);
      default: return 0;
    }
  }

 private:
  static std::uint64_t time(std::uint64_t bytes, std::uint64_t speed) { return scale(bytes, kSecond, speed); }

  // Rounded down: a part of a bound must not exceed it.
  std::uint64_t part(std::uint64_t bytes, std::uint64_t of_ranks) const {
    return static_cast<std::uint64_t>(static_cast<Uint128>(bytes) * of_ranks / ranks_);
  }

  std::uint64_t shares(std::uint64_t bytes) const {
    std::uint64_t worst = 0;
    for (const Site& site : sites_)
      worst = std::max(worst, time(part(bytes, std::max(site.ranks, ranks_ - site.ranks)), site.rails));
    return worst;
  }
  std::uint64_t exchange(std::uint64_t bytes) const {
    std::uint64_t worst = 0;
    for (const Site& site : sites_)
      worst = std::max(worst, time(part(bytes, site.ranks * (ranks_ - site.ranks)), site.rails));
    return worst;
  }
  std::uint64_t luckiest(std::uint64_t bytes) const {
    std::uint64_t best = ~std::uint64_t{0};
    for (const Site& site : sites_) best = std::min(best, time(part(bytes, ranks_ - site.ranks), site.rails));
    return best;
  }

  std::vector<Site> sites_;
  std::uint64_t ranks_;
  std::uint64_t sum_ = 0;
  std::uint64_t least_ = ~std::uint64_t{0};
};

// Bytes read plus bytes written, halved, at least, by all ranks of the one domain together.
std::uint64_t copied(Collective collective, std::uint64_t ranks, std::uint64_t bytes) {
  if (ranks == 1) return 0;
  switch (collective) {
    case Collective::kAllReduce: return scale(bytes, ranks, 1);
    case Collective::kBroadcast:
    case Collective::kAllGather: return scale(bytes, ranks, 1) / 2;
    case Collective::kReduce:
    case Collective::kReduceScatter: return scale(bytes, ranks + 1, 1) / 2;
    case Collective::kAllToAll: return scale(bytes, ranks - 1, 1);
    case Collective::kGather:
    case Collective::kScatter: return bytes - bytes / ranks;
    case Collective::kSend:
    case Collective::kRecv: return bytes;
    case Collective::kAllToAllV: return 0;
  }
  return 0;
}

std::uint64_t memory_bound(Collective collective, const cluster::Domain& domain, std::uint64_t ranks,
                           std::uint64_t bytes) {
  const std::uint64_t cores =
      is_pair(collective) ? std::min<std::uint64_t>(2, domain.cores) : std::min(domain.cores, ranks);
  return scale(copied(collective, ranks, bytes) / std::max<std::uint64_t>(1, cores), kSecond,
               std::max<std::uint64_t>(1, domain.bytes_per_second));
}

std::uint64_t pair_bound(const cluster::Cluster& cluster, const std::vector<Site>& sites, std::uint64_t bytes) {
  std::uint64_t fastest = 1;
  for (const cluster::Domain& domain : cluster.domains) fastest = std::max(fastest, 2 * domain.bytes_per_second);
  if (cluster.size() == static_cast<int>(sites.size())) {  // every pair is joined by rails: the two fastest sites
    std::vector<std::uint64_t> speeds;
    speeds.reserve(sites.size());
    for (const Site& site : sites) speeds.push_back(site.rails);
    std::sort(speeds.rbegin(), speeds.rend());
    if (speeds.size() > 1 && speeds.back() > 0) fastest = speeds[1];
  }
  return scale(bytes, kSecond, fastest);
}

}  // namespace

std::uint64_t bound_ns(Collective collective, const cluster::Cluster& cluster, std::uint64_t bytes) {
  if (cluster.size() < 2) return 0;
  const std::vector<Site> sites = sites_of(cluster);
  const auto ranks = static_cast<std::uint64_t>(cluster.size());
  if (sites.size() == 1) {
    const auto domain = static_cast<std::size_t>(cluster.ranks.front().domain);
    return memory_bound(collective, cluster.domains[domain], ranks, bytes);
  }
  if (is_pair(collective)) return pair_bound(cluster, sites, bytes);
  return Wires(sites, ranks).bound(collective, bytes);
}

}  // namespace amalgam::plan
