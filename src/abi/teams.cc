// Teams of the device interface as far as they mean something on the host: the world team is the communicator itself;
// there are no load-store, rail or fabric teams, so those are empty.

#include "abi/entry.h"
#include "nccl_device.h"

namespace amalgam::abi {
namespace {

constexpr ncclTeam_t kEmpty = {0, 0, 0};
constexpr int kNoRank = -1;

template <typename Body>
void checked(const char* function, ncclComm_t comm, Body&& body) {
  entry(function, [&]() -> Status {
    AMALGAM_TRY(check_communicator(function, comm));
    body(launch::properties(communicator_of(comm)));
    return {};
  });
}

}  // namespace
}  // namespace amalgam::abi

using namespace amalgam;

ncclTeam_t pncclTeamWorld(ncclComm_t comm) {
  ncclTeam_t team = abi::kEmpty;
  abi::checked("ncclTeamWorld", comm, [&](const launch::Properties& of) { team = {of.ranks, of.rank, 1}; });
  return team;
}
AMALGAM_PUBLIC_NAME(ncclTeamWorld);

ncclTeam_t pncclTeamLsa(ncclComm_t) { return abi::kEmpty; }
AMALGAM_PUBLIC_NAME(ncclTeamLsa);

ncclTeam_t pncclTeamRail(ncclComm_t) { return abi::kEmpty; }
AMALGAM_PUBLIC_NAME(ncclTeamRail);

ncclTeam_t pncclTeamCft(ncclComm_t, ncclCftTeamMode_t) { return abi::kEmpty; }
AMALGAM_PUBLIC_NAME(ncclTeamCft);

ncclTeam_t pncclTeamCftMultimem(ncclComm_t) { return abi::kEmpty; }
AMALGAM_PUBLIC_NAME(ncclTeamCftMultimem);

int pncclTeamRankToWorld(ncclComm_t comm, ncclTeam_t team, int rank) {
  int world = abi::kNoRank;
  abi::checked("ncclTeamRankToWorld", comm, [&](const launch::Properties& of) {
    if (rank < 0 || rank >= team.nRanks) return;
    const long long candidate = of.rank + (static_cast<long long>(rank) - team.rank) * team.stride;
    if (candidate >= 0 && candidate < of.ranks) world = static_cast<int>(candidate);
  });
  return world;
}
AMALGAM_PUBLIC_NAME(ncclTeamRankToWorld);

int pncclTeamRankToLsa(ncclComm_t, ncclTeam_t, int) { return abi::kNoRank; }
AMALGAM_PUBLIC_NAME(ncclTeamRankToLsa);
