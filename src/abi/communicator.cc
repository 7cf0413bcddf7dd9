// Life of communicators and what can be asked about them.

#include <algorithm>
#include <cstring>
#include <span>

#include "abi/config_parse.h"
#include "abi/entry.h"
#include "nccl_device.h"

namespace amalgam::abi {
namespace {

launch::Communicator** out_of(ncclComm_t* comm) { return reinterpret_cast<launch::Communicator**>(comm); }

bootstrap::UniqueId id_of(const ncclUniqueId& commId) {
  static_assert(sizeof(ncclUniqueId) == sizeof(bootstrap::UniqueId));
  bootstrap::UniqueId id;
  std::memcpy(id.bytes.data(), commId.internal, sizeof(commId.internal));
  return id;
}

Result<launch::CommConfig> config_of(const char* function, const ncclConfig_t* config) {
  Result<launch::CommConfig> parsed = parse_config(function, config);
  if (!parsed.ok()) return refuse(parsed.status().code(), parsed.status().message());
  return parsed;
}

Status init_rank(const char* function, ncclComm_t* comm, int nranks, const ncclUniqueId& commId, int rank,
                 const ncclConfig_t* config) {
  AMALGAM_TRY(check_pointer(function, "comm", comm));
  *comm = nullptr;
  if (nranks < 1 || rank < 0 || rank >= nranks)
    return invalid_argument("{}: rank {} of {} ranks; a rank lies between 0 and nranks-1", function, rank, nranks);
  Result<launch::CommConfig> parsed = config_of(function, config);
  if (!parsed.ok()) return parsed.status();
  const bootstrap::UniqueId id = id_of(commId);
  AMALGAM_TRY(bootstrap::check_unique_id(id));
  return launch::init_rank(out_of(comm), nranks, id, rank, *parsed);
}

Status check_excluded(const char* function, launch::Communicator* communicator, std::span<const int> excluded) {
  const launch::Properties properties = launch::properties(communicator);
  std::size_t at = 0;
  for (const int rank : excluded) {
    if (rank < 0 || rank >= properties.ranks)
      return invalid_argument("{}: excluded rank {} is not a rank of this communicator (0 to {})", function, rank,
                              properties.ranks - 1);
    if (rank == properties.rank)
      return invalid_argument("{}: this rank, {}, is among the excluded ones; those must not call", function, rank);
    const auto before = excluded.first(at++);
    if (std::find(before.begin(), before.end(), rank) != before.end())
      return invalid_argument("{}: rank {} is excluded twice", function, rank);
  }
  return {};
}

// Reads one property of a live communicator.
ncclResult_t property(const char* function, ncclComm_t comm, int* out, int launch::Properties::*member) {
  return entry(function, [&]() -> Status {
    AMALGAM_TRY(check_communicator(function, comm));
    AMALGAM_TRY(check_pointer(function, "the result", out));
    *out = launch::properties(communicator_of(comm)).*member;
    return {};
  });
}

}  // namespace
}  // namespace amalgam::abi

using namespace amalgam;
using abi::check_communicator;
using abi::check_pointer;
using abi::communicator_of;
using abi::entry;
using abi::groupable_entry;
using abi::invalid_argument;

ncclResult_t pncclCommInitRank(ncclComm_t* comm, int nranks, ncclUniqueId commId, int rank) {
  constexpr const char* kName = "ncclCommInitRank";
  return groupable_entry(kName, [&] { return abi::init_rank(kName, comm, nranks, commId, rank, nullptr); });
}
AMALGAM_PUBLIC_NAME(ncclCommInitRank);

ncclResult_t pncclCommInitRankConfig(ncclComm_t* comm, int nranks, ncclUniqueId commId, int rank,
                                     ncclConfig_t* config) {
  constexpr const char* kName = "ncclCommInitRankConfig";
  return groupable_entry(kName, [&] { return abi::init_rank(kName, comm, nranks, commId, rank, config); });
}
AMALGAM_PUBLIC_NAME(ncclCommInitRankConfig);

ncclResult_t pncclCommInitRankScalable(ncclComm_t* newcomm, int nranks, int myrank, int nId, ncclUniqueId* commIds,
                                       ncclConfig_t* config) {
  constexpr const char* kName = "ncclCommInitRankScalable";
  return groupable_entry(kName, [&]() -> Status {
    AMALGAM_TRY(check_pointer(kName, "newcomm", newcomm));
    *newcomm = nullptr;
    AMALGAM_TRY(check_pointer(kName, "commIds", commIds));
    if (nId < 1 || nId > nranks)
      return invalid_argument("{}: {} ids for {} ranks; pass at least one, at most one per rank", kName, nId, nranks);
    return abi::init_rank(kName, newcomm, nranks, commIds[0], myrank, config);
  });
}
AMALGAM_PUBLIC_NAME(ncclCommInitRankScalable);

ncclResult_t pncclCommInitAll(ncclComm_t* comm, int ndev, const int* devlist) {
  constexpr const char* kName = "ncclCommInitAll";
  return groupable_entry(kName, [&]() -> Status {
    AMALGAM_TRY(check_pointer(kName, "comm", comm));
    if (ndev < 0) return invalid_argument("{}: ndev is {}", kName, ndev);
    for (int i = 0; devlist != nullptr && i < ndev; ++i)
      if (devlist[i] < 0) return invalid_argument("{}: devlist[{}] is {}", kName, i, devlist[i]);
    if (ndev == 0) return {};
    std::fill_n(comm, ndev, nullptr);
    return launch::init_all(abi::out_of(comm), ndev, devlist);
  });
}
AMALGAM_PUBLIC_NAME(ncclCommInitAll);

ncclResult_t pncclCommSplit(ncclComm_t comm, int color, int key, ncclComm_t* newcomm, ncclConfig_t* config) {
  constexpr const char* kName = "ncclCommSplit";
  return groupable_entry(kName, [&]() -> Status {
    AMALGAM_TRY(check_communicator(kName, comm));
    AMALGAM_TRY(check_pointer(kName, "newcomm", newcomm));
    *newcomm = nullptr;
    if (color < NCCL_SPLIT_NOCOLOR)
      return invalid_argument("{}: color {} is negative and not NCCL_SPLIT_NOCOLOR", kName, color);
    Result<launch::CommConfig> parsed = abi::config_of(kName, config);
    if (!parsed.ok()) return parsed.status();
    return launch::split(communicator_of(comm), color, key, abi::out_of(newcomm), config ? &*parsed : nullptr);
  });
}
AMALGAM_PUBLIC_NAME(ncclCommSplit);

ncclResult_t pncclCommShrink(ncclComm_t comm, int* excludeRanksList, int excludeRanksCount, ncclComm_t* newcomm,
                             ncclConfig_t* config, int shrinkFlags) {
  constexpr const char* kName = "ncclCommShrink";
  return groupable_entry(kName, [&]() -> Status {
    AMALGAM_TRY(check_communicator(kName, comm));
    AMALGAM_TRY(check_pointer(kName, "newcomm", newcomm));
    *newcomm = nullptr;
    AMALGAM_TRY(check_pointer(kName, "excludeRanksList", excludeRanksList));
    if (excludeRanksCount < 1) return invalid_argument("{}: excludeRanksCount is {}", kName, excludeRanksCount);
    if (shrinkFlags != NCCL_SHRINK_DEFAULT && shrinkFlags != NCCL_SHRINK_ABORT)
      return invalid_argument("{}: flags {:#x}; pass NCCL_SHRINK_DEFAULT or NCCL_SHRINK_ABORT", kName, shrinkFlags);
    const std::span<const int> excluded(excludeRanksList, static_cast<std::size_t>(excludeRanksCount));
    AMALGAM_TRY(abi::check_excluded(kName, communicator_of(comm), excluded));
    Result<launch::CommConfig> parsed = abi::config_of(kName, config);
    if (!parsed.ok()) return parsed.status();
    return launch::shrink(communicator_of(comm), excluded, shrinkFlags == NCCL_SHRINK_ABORT, abi::out_of(newcomm),
                          config ? &*parsed : nullptr);
  });
}
AMALGAM_PUBLIC_NAME(ncclCommShrink);

ncclResult_t pncclCommFinalize(ncclComm_t comm) {
  constexpr const char* kName = "ncclCommFinalize";
  return groupable_entry(kName, [&]() -> Status {
    AMALGAM_TRY(check_communicator(kName, comm));
    return launch::finalize(communicator_of(comm));
  });
}
AMALGAM_PUBLIC_NAME(ncclCommFinalize);

ncclResult_t pncclCommDestroy(ncclComm_t comm) {
  constexpr const char* kName = "ncclCommDestroy";
  return entry(kName, [&]() -> Status {
    if (comm == nullptr) return {};
    AMALGAM_TRY(check_communicator(kName, comm));
    return launch::destroy(communicator_of(comm));
  });
}
AMALGAM_PUBLIC_NAME(ncclCommDestroy);

ncclResult_t pncclCommAbort(ncclComm_t comm) {
  constexpr const char* kName = "ncclCommAbort";
  return entry(kName, [&]() -> Status {
    if (comm == nullptr) return {};
    AMALGAM_TRY(check_communicator(kName, comm));
    return launch::abort(communicator_of(comm));
  });
}
AMALGAM_PUBLIC_NAME(ncclCommAbort);

ncclResult_t pncclCommRevoke(ncclComm_t comm, int revokeFlags) {
  constexpr const char* kName = "ncclCommRevoke";
  return entry(kName, [&]() -> Status {
    AMALGAM_TRY(check_communicator(kName, comm));
    if (revokeFlags != NCCL_REVOKE_DEFAULT)
      return invalid_argument("{}: flags {:#x}; pass NCCL_REVOKE_DEFAULT", kName, revokeFlags);
    return launch::revoke(communicator_of(comm));
  });
}
AMALGAM_PUBLIC_NAME(ncclCommRevoke);

ncclResult_t pncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* asyncError) {
  constexpr const char* kName = "ncclCommGetAsyncError";
  return entry(kName, [&]() -> Status {
    AMALGAM_TRY(check_communicator(kName, comm));
    AMALGAM_TRY(check_pointer(kName, "asyncError", asyncError));
    *asyncError = abi::to_result(launch::async_error(communicator_of(comm)));
    return {};
  });
}
AMALGAM_PUBLIC_NAME(ncclCommGetAsyncError);

ncclResult_t pncclCommCount(const ncclComm_t comm, int* count) {
  return abi::property("ncclCommCount", comm, count, &launch::Properties::ranks);
}
AMALGAM_PUBLIC_NAME(ncclCommCount);

ncclResult_t pncclCommCuDevice(const ncclComm_t comm, int* device) {
  return abi::property("ncclCommCuDevice", comm, device, &launch::Properties::device);
}
AMALGAM_PUBLIC_NAME(ncclCommCuDevice);

ncclResult_t pncclCommUserRank(const ncclComm_t comm, int* rank) {
  return abi::property("ncclCommUserRank", comm, rank, &launch::Properties::rank);
}
AMALGAM_PUBLIC_NAME(ncclCommUserRank);

ncclResult_t pncclCommQueryProperties(ncclComm_t comm, ncclCommProperties_t* props) {
  constexpr const char* kName = "ncclCommQueryProperties";
  return entry(kName, [&]() -> Status {
    AMALGAM_TRY(check_communicator(kName, comm));
    AMALGAM_TRY(check_pointer(kName, "props", props));
    constexpr std::size_t kHeaderBytes = offsetof(ncclCommProperties_t, rank);
    if (props->magic != abi::kConfigMagic || props->size < kHeaderBytes)
      return invalid_argument("{}: initialise props with NCCL_COMM_PROPERTIES_INITIALIZER", kName);
    const launch::Properties known = launch::properties(communicator_of(comm));
    ncclCommProperties_t filled = NCCL_COMM_PROPERTIES_INITIALIZER;
    filled.rank = known.rank;
    filled.nRanks = known.ranks;
    filled.cudaDev = known.device;
    filled.nvmlDev = known.device;
    filled.nLsaTeams = known.ranks;
    filled.commHash = known.hash;
    filled.devCommRuntimeVersionSize = sizeof(ncclDevComm_t);
    const std::size_t size = std::min(sizeof(filled), props->size);
    std::memcpy(&props->rank, &filled.rank, size - kHeaderBytes);
    return {};
  });
}
AMALGAM_PUBLIC_NAME(ncclCommQueryProperties);
