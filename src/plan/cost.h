#pragma once

// What a cluster costs: latencies and speeds of the patterns in which families talk, worked out once per cluster.
// Private to src/plan. Integers only.
//
// The model (α-β-γ): T = latency + messages·o + wire + work
//   latency   α of the messages that wait for each other, one after another
//   messages  the further messages of the busiest rank, each at o = α/8: posting costs, but nobody waits
//   wire      bytes on the busiest rail / its speed
//   work      bytes that cores copy or fold, a copied byte (read and written) counting one, at the domain's speed: the
//             busiest rank alone, or all ranks of a domain on the domain's cores, whichever takes longer
//
// α of a domain is its latency times ceil(ranks / cores): a message waits until its receiver gets a core. α of a rail
// is its latency and its domain's. Ranks of one domain share a rail of one name.

#include <cstdint>
#include <vector>

#include "cluster/cluster.h"

namespace amalgam::plan {

// A pattern of messages that run at once: its slowest latency, and bytes that a rank may send per second over all its
// messages until its rail is the limit (0: no rail is used).
struct Paths {
  std::uint64_t alpha_ns = 0;
  std::uint64_t bytes_per_second = 0;

  std::uint64_t wire_ns(std::uint64_t bytes) const;
};

class Fabric {
 public:
  explicit Fabric(const cluster::Cluster& cluster);

  int ranks() const { return ranks_; }
  bool switched() const { return switched_; }  // some rail leads through a network that several senders can crowd
  bool has_wire() const { return pairs.bytes_per_second != 0; }
  std::uint64_t overhead_ns() const { return pairs.alpha_ns / 8; }

  // Nanoseconds for cores to move `busiest` bytes on one rank and `total` on all.
  std::uint64_t work_ns(std::uint64_t busiest, std::uint64_t total) const;

  Paths neighbours;           // each rank sends to the next
  Paths pairs;                // each rank sends equally much to every other
  Paths rooted;               // one rank sends equally much to every other, or receives from every other
  Paths link;                 // one rank sends to one other, the worst pair
  std::vector<Paths> powers;  // [s]: rank r exchanges with r xor 2^s, where that exists

 private:
  struct Memory {  // equal domains count once
    std::uint64_t ranks, cores, bytes_per_second;
    bool operator==(const Memory&) const = default;
  };
  int ranks_;
  bool switched_ = false;
  std::vector<Memory> memories_;
};

__extension__ typedef unsigned __int128 Uint128;  // NOLINT(modernize-use-using): __extension__ takes no using

// a·b/c with 128 bits in between, rounded up, at most 2^60.
std::uint64_t scale(std::uint64_t a, std::uint64_t b, std::uint64_t c);

}  // namespace amalgam::plan
