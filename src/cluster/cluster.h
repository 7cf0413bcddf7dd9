#pragma once

// The agreed description of the ranks of one communicator and of what connects them: integers only, equal on all ranks,
// hashed. Plans are functions of it, so nothing that one rank alone knows may enter.
//
// Text form (parse and print are inverse; '#' starts a comment; numbers accept K M G = 1000^n, latencies are ns):
//
//   cluster
//   island 0 vendor host
//   domain 0 cores 2 memory 10G latency 200
//   rank 0 domain 0 island 0 rail eth0 1250M latency 20000
//   rank 1 domain 0 island 0 rail eth0 1250M latency 20000 rail eth1 3G latency 20000
//
// A rank's rails are full duplex. Ranks of one domain reach each other through its memory; ranks of different domains
// by rails, rail i of one with rail i of the other (fewer rails: modulo).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace amalgam::cluster {

inline constexpr const char* kLoopback = "lo";  // the network of ranks that share a machine: no switch in between

struct Rail {
  std::string network;  // interface name, for people
  std::uint64_t bytes_per_second = 0;
  std::uint64_t latency_ns = 0;
  bool operator==(const Rail&) const = default;
};

struct Domain {
  std::uint64_t cores = 1;
  std::uint64_t bytes_per_second = 0;  // what one core copies (memory to memory)
  std::uint64_t latency_ns = 0;        // one small message between two ranks
  bool operator==(const Domain&) const = default;
};

struct Island {
  std::string vendor = "host";
  bool operator==(const Island&) const = default;
};

struct Rank {
  int domain = 0;
  int island = 0;
  std::vector<Rail> rails;
  bool operator==(const Rank&) const = default;
};

struct Cluster {
  std::vector<Island> islands;
  std::vector<Domain> domains;
  std::vector<Rank> ranks;

  int size() const { return static_cast<int>(ranks.size()); }
  int ranks_in(int domain) const;
  bool single_domain() const { return domains.size() == 1; }
  std::uint64_t hash() const;
  bool operator==(const Cluster&) const = default;
};

// Some ranks of a cluster, in this order, as a cluster of their own; domains and islands without ranks are left out.
Cluster subset(const Cluster& cluster, const std::vector<int>& ranks);

std::string print(const Cluster& cluster);
Result<Cluster> parse(std::string_view text);  // errors name the line
Cluster uniform(int ranks, int ranks_per_domain,
                std::uint64_t cores_per_domain);  // a typical cluster, for tests and tools

}  // namespace amalgam::cluster
