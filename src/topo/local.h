#pragma once

// What one rank knows about the machine it runs on, read from /proc and /sys: the half of the topology that needs no
// peer. Ranks exchange these facts as records and assemble.h makes the agreed cluster of them.
//
// Contract   read_local never fails: what cannot be read gets its documented default, so a container without /sys still
// works.
//            encode/decode are inverse and the same on every architecture; decode trusts nothing.
// Threads    any; no state. Ownership: values only.

#include <cstdint>
#include <string>
#include <vector>

#include "base/socket_address.h"
#include "base/status.h"
#include "base/types.h"
#include "cluster/cluster.h"

namespace amalgam::topo {

inline constexpr std::uint64_t kDefaultRailSpeed =
    1'250'000'000;  // 10 Gbit/s: what virtual NICs that tell no speed usually do
inline constexpr std::uint64_t kLoopbackSpeed = 5'000'000'000;
inline constexpr std::uint64_t kRailLatency = 20'000;  // one small message by kernel TCP, ns
inline constexpr std::uint64_t kMemoryLatency = 200;   // one small message between two cores, ns

struct LocalFacts {
  std::string host;     // identity of the host and its IPC namespace; equal texts: worth probing for shared memory
  std::string machine;  // of the kernel that schedules this rank: ranks with equal texts compete for its cores
  std::string network;  // its network namespace: within one of a machine all interfaces are the loopback's
  std::vector<std::uint32_t> cpus;     // CPUs that this process may run on, ascending, as the kernel numbers them
  std::uint64_t bytes_per_second = 0;  // what one core copies (setting memory_bandwidth)
  std::uint64_t latency_ns = kMemoryLatency;
  std::string vendor = "host";       // island vendor of this rank
  std::vector<cluster::Rail> rails;  // one per interface, in the order asked for
  bool operator==(const LocalFacts&) const = default;
};

// Reads the facts. `interfaces` are the ones in use, rail i = interface i (none: every interface that is up, loopback
// only when there is no other). `root` is put before /proc and /sys, for tests; with a root the CPUs come from its
// proc/self/status instead of from the kernel.
LocalFacts read_local(const std::vector<std::string>& interfaces = {}, const std::string& root = "");

// The interface that owns each address, in order; "any" for an address that none owns.
std::vector<std::string> interfaces_of(const std::vector<SocketAddress>& addresses);

std::vector<std::byte> encode(const LocalFacts& facts);
Result<LocalFacts> decode(ConstBytes record);

}  // namespace amalgam::topo
