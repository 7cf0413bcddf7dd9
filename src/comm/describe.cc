// The init screen.

#include <fmt/format.h>

#include "base/version.h"
#include "comm/communicator.h"
#include "config/settings.h"

namespace amalgam::comm {

std::string Communicator::describe() const {
  std::string text =
      fmt::format("Amalgam {} as NCCL {}: communicator {:016x}{}{}, ranks {}, domains {}, islands {}\n",
                  library_version(), config::settings().version, group_->id(), config_.name.empty() ? "" : " ",
                  config_.name, membership_.ranks, cluster_.domains.size(), islands_.all.size());
  text += fmt::format("  this library {}\n  islands {}\n", library_file(), islands_.describe());
  if (whole_) return text + "  carried by " + delegate_.library()->describe();
  text += islands_.describe_libraries();
  text += fmt::format("  transports {}\n  plan {}\n", routes_->describe(), plans_->describe(Collective::kAllReduce));
  if (!working_.empty())
    text += fmt::format("  large calls: the libraries inside {} of {} islands, exchanges between one rank of each\n",
                        working_.size(), mixed_->hierarchy().islands());
  const cluster::Domain& domain = cluster_.domains[cluster_.ranks[membership_.rank].domain];
  text += fmt::format("  domain of rank {}: {} cores, {} ranks", membership_.rank, domain.cores,
                      cluster_.ranks_in(cluster_.ranks[membership_.rank].domain));
  for (const cluster::Rail& rail : cluster_.ranks[membership_.rank].rails)
    text += fmt::format("\n  rail {} {} MB/s", rail.network, rail.bytes_per_second / 1'000'000);
  return text;
}

}  // namespace amalgam::comm
