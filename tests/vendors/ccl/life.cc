// Communicators of the stand-in: joining, asking, ending.

#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "tests/vendors/ccl/face.h"

namespace standin_ccl {
namespace {

constexpr std::uint64_t kMagic = 0x0280028002800280;  // NCCL's own

// Its vendor and version, asked for by its exported name: ranks of any other are refused.
std::uint64_t kind_of_library() {
  int version = 0;
  ncclGetVersion(&version);
  return std::hash<std::string>()(face::kVendor) << 16 ^ static_cast<std::uint64_t>(version);
}

// Two ranks on one device are refused, unless their processes say that they are different hosts. A process may see the
// devices under numbers of its own, so the bus tells which is which.
std::uint64_t who_am_i(int device) {
  char bus[32] = "";
  cudaDeviceGetPCIBusId(bus, sizeof(bus), device);
  const char* host = std::getenv("NCCL_HOSTID");
  const std::uint64_t salt = host == nullptr ? 0 : std::hash<std::string>()(host) << 16;
  return (std::hash<std::string>()(bus) | 1) ^ salt;
}

ncclResult_t refuse(ncclComm* comm, const char* why) {
  comm->segment->refused.store(1);
  counters().refused.fetch_add(1);
  set_error(why);
  return ncclInvalidUsage;
}

ncclResult_t arrive(ncclComm* comm) {
  Segment& segment = *comm->segment;
  if (segment.arrived.fetch_add(1) + 1 == comm->ranks) forget_name(comm->name);
  int no_ranks = 0;
  const std::uint64_t kind = kind_of_library();
  std::uint64_t none = 0;
  if (!segment.vendor.compare_exchange_strong(none, kind) && none != kind)
    return refuse(comm, "a rank of another vendor's library or version");
  if (!segment.ranks.compare_exchange_strong(no_ranks, comm->ranks) && no_ranks != comm->ranks)
    return refuse(comm, "ranks disagree on their number");
  const std::uint64_t mine = who_am_i(comm->device);
  std::uint64_t nobody = 0;
  if (!segment.who[comm->rank].compare_exchange_strong(nobody, mine)) return refuse(comm, "a rank that is there twice");
  for (int r = 0; r < comm->ranks; ++r)
    if (r != comm->rank && segment.who[r].load() == mine) return refuse(comm, "duplicate device");
  segment.joined.fetch_add(1);
  return ncclSuccess;
}

ncclResult_t wait_for_all(const ncclComm* comm) {
  const Segment& segment = *comm->segment;
  while (segment.joined.load() < comm->ranks && segment.refused.load() == 0) {
    if (comm->aborted) return ncclInternalError;
    std::this_thread::yield();
  }
  return segment.refused.load() == 0 ? ncclSuccess : ncclInvalidUsage;
}

// Waits for all ranks; an abort ends it.
ncclResult_t join(ncclComm* comm) {
  int before = 0, listening = -1;
  cudaGetDevice(&before);
  cudaSetDevice(comm->device);
  ncclResult_t result = ncclSystemError;
  if (comm->rank != 0 || hold_setting_address(&listening)) result = arrive(comm);
  if (result == ncclSuccess) result = wait_for_all(comm);
  if (listening >= 0) close(listening);
  if (result == ncclSystemError || result == ncclInternalError) forget_name(comm->name);  // nobody else comes in
  if (result == ncclSuccess) {
    cudaEventCreateWithFlags(&comm->last, 2);
    counters().communicators.fetch_add(1);
  }
  cudaSetDevice(before);
  comm->state = result;
  comm->joining = false;  // last: whoever ends the communicator waits for it
  return result;
}

ncclResult_t end(ncclComm_t comm) {
  while (comm->joining || comm->running.load() != 0) std::this_thread::yield();
#if STANDIN_CCL_VERSION >= 22700
  while (!comm->windows.empty()) ncclCommWindowDeregister(comm, static_cast<ncclWindow_t>(comm->windows.back()));
  if (comm->scratch != nullptr) ncclMemFree(comm->scratch);
#endif
  if (comm->last != nullptr) cudaEventDestroy(comm->last);
  comm->magic = 0;  // the memory stays: a late use is noticed
  return ncclSuccess;
}

}  // namespace

bool alive(const ncclComm* comm) { return comm != nullptr && comm->magic == kMagic; }

// A newer and larger config is cut, as NCCL does.
bool read_config(const ncclConfig_t* config, bool* blocking) {
  if (config == nullptr) return true;
  if (config->magic != 0xcafebeef || config->size < 20) return false;
  if (config->blocking == NCCL_CONFIG_UNDEF_INT) return true;
  *blocking = config->blocking != 0;
  return config->blocking == 0 || config->blocking == 1;
}

ncclResult_t enter(ncclComm_t* out, const Membership& membership) {
  auto* comm = new ncclComm;
  comm->magic = kMagic;
  comm->rank = membership.rank;
  comm->ranks = membership.ranks;
  comm->device = membership.device;
  comm->name = membership.name;
  comm->blocking = membership.blocking;
  comm->segment = open_segment(comm->name);
  if (comm->segment == nullptr) {
    delete comm;
    return ncclSystemError;
  }
  *out = comm;
  if (!comm->blocking) {
    comm->joining = true;
    std::thread([comm] { join(comm); }).detach();
    return ncclInProgress;
  }
  return now_or_in_group([comm, out] {
    comm->joining = true;
    const ncclResult_t joined = join(comm);
    if (joined != ncclSuccess) *out = nullptr;
    return joined;
  });
}

// A library that is broken where this rank runs: it fails at once, and its peers wait inside.
bool fails_init(int rank) {
  const char* broken = std::getenv("STANDIN_CCL_FAIL_INIT");
  return broken != nullptr && std::atoi(broken) == rank;
}

ncclResult_t init(ncclComm_t* out, int ranks, const ncclUniqueId& id, int rank, const ncclConfig_t* config) {
  if (fails_init(rank)) {
    set_error("this rank's library is broken, as STANDIN_CCL_FAIL_INIT says");
    return ncclSystemError;
  }
  if (out == nullptr || ranks < 1 || ranks > kMostRanks || rank < 0 || rank >= ranks) return invalid("init arguments");
  Membership membership{ranks, rank, 0, name_of(id), true};
  if (!read_config(config, &membership.blocking)) return invalid("not a config");
  if (membership.name.empty()) return invalid("an id that this library did not make");
  cudaGetDevice(&membership.device);
  return enter(out, membership);
}

}  // namespace standin_ccl

using namespace standin_ccl;

ncclResult_t ncclGetVersion(int* version) {
  if (version == nullptr) return invalid("no place for the version");
  *version = STANDIN_CCL_VERSION;
  return ncclSuccess;
}

ncclResult_t ncclCommInitRank(ncclComm_t* comm, int ranks, ncclUniqueId id, int rank) {
  return init(comm, ranks, id, rank, nullptr);
}

#if STANDIN_CCL_VERSION >= 21400
ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int ranks, ncclUniqueId id, int rank, ncclConfig_t* config) {
  return init(comm, ranks, id, rank, config);
}
#endif

#if STANDIN_CCL_VERSION >= 22300
ncclResult_t ncclCommInitRankScalable(ncclComm_t* comm, int ranks, int rank, int ids, ncclUniqueId* all,
                                      ncclConfig_t* config) {
  if (ids < 1 || ids > ranks || all == nullptr) return invalid("ids");
  return init(comm, ranks, all[0], rank, config);
}
#endif

#if STANDIN_CCL_VERSION >= 21400
ncclResult_t ncclCommFinalize(ncclComm_t comm) {
  if (!alive(comm) || comm->finalized) return invalid("finalize");
  comm->finalized = true;
  return ncclSuccess;
}
#endif

ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  if (comm == nullptr) return ncclSuccess;
  if (!alive(comm)) return invalid("destroy of what is no communicator");
  return end(comm);
}

ncclResult_t ncclCommAbort(ncclComm_t comm) {
  if (comm == nullptr) return ncclSuccess;
  if (!alive(comm)) return invalid("abort of what is no communicator");
  counters().aborted.fetch_add(1);
  comm->aborted = true;
  return end(comm);
}

#if STANDIN_CCL_VERSION >= 22807
// Its kernels end, its calls are refused; it may be destroyed and shrunk.
ncclResult_t ncclCommRevoke(ncclComm_t comm, int flags) {
  if (!alive(comm) || flags != 0) return invalid("revoke");
  ncclResult_t state;
  if (ncclCommGetAsyncError(comm, &state) != ncclSuccess || state == ncclInProgress) return ncclInvalidUsage;
  comm->revoked = true;
  while (comm->running.load() != 0) std::this_thread::yield();
  return ncclSuccess;
}
#endif

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* result) {
  if (!alive(comm) || result == nullptr) return invalid("async error");
  *result = static_cast<ncclResult_t>(comm->state.load());
  return ncclSuccess;
}

ncclResult_t ncclCommCount(const ncclComm_t comm, int* count) {
  if (!alive(comm) || count == nullptr) return invalid("count");
  *count = comm->ranks;
  return ncclSuccess;
}
ncclResult_t ncclCommCuDevice(const ncclComm_t comm, int* device) {
  if (!alive(comm) || device == nullptr) return invalid("device");
  *device = comm->device;
  return ncclSuccess;
}
ncclResult_t ncclCommUserRank(const ncclComm_t comm, int* rank) {
  if (!alive(comm) || rank == nullptr) return invalid("rank");
  *rank = comm->rank;
  return ncclSuccess;
}
