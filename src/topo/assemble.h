#pragma once

// All ranks' facts → the agreed cluster. Pure: equal inputs give the equal cluster on every rank, in any order of
// arrival.
//
// The one input that is not a fact of a single rank is who reaches whom by memory: transports test it (a probe through
// the segment) and the ranks agree on it by gathering the rows of `reaches`.

#include <vector>

#include "base/status.h"
#include "cluster/cluster.h"
#include "topo/local.h"

namespace amalgam::topo {

// reaches[a][b]: rank a takes slices from rank b by memory. Domains are made of ranks that all reach each other both
// ways: each rank joins the first domain with all of whose members that holds, else it opens one. Returns the domain of
// each rank, numbered by first member. Rows may be short (missing: false).
std::vector<int> domains_of(const std::vector<std::vector<bool>>& reaches);

// A domain has the union of its ranks' CPUs, the slowest rank's memory speed and the largest latency; an island is the
// ranks of one vendor. When all ranks share a machine and its network, what they send one another never leaves it:
// their rails are the loopback and as fast, whatever the interfaces say. `domain_of` is dense from 0 (domains_of
// makes it so); otherwise InvalidArgument.
Result<cluster::Cluster> assemble(const std::vector<LocalFacts>& facts, const std::vector<int>& domain_of);

// Whether the machine of `rank` has more of these ranks than they have CPUs there, whatever transports connect them.
bool oversubscribed(const std::vector<LocalFacts>& facts, std::size_t rank);

}  // namespace amalgam::topo
