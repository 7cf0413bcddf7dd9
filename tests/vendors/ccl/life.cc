// Communicators of the stand-in: unique ids, joining, ending.

#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <random>
#include <thread>

#include "tests/vendors/ccl/face.h"

namespace standin_ccl {
namespace {

constexpr std::uint64_t kMagic = 0x0280028002800280;    // NCCL's own
constexpr std::uint64_t kIdMagic = 0x6469206e69647473;  // a foreign id is refused
constexpr std::uint64_t kVendor = STANDIN_CCL_VENDOR;

struct Id {
  std::uint64_t magic;
  std::uint64_t words[2];
};

std::string name_of(const ncclUniqueId& id) {
  Id parts;
  std::memcpy(&parts, id.internal, sizeof(parts));
  if (parts.magic != kIdMagic) return {};
  char text[64];
  std::snprintf(text, sizeof(text), "/standin-ccl-%016llx%016llx", static_cast<unsigned long long>(parts.words[0]),
                static_cast<unsigned long long>(parts.words[1]));
  return text;
}

// Two ranks on one device are refused, unless their processes say that they are different hosts.
std::uint64_t who_am_i(int device) {
  const char* host = std::getenv("NCCL_HOSTID");
  const std::uint64_t salt = host == nullptr ? 0 : std::hash<std::string>()(host) << 16;
  return (static_cast<std::uint64_t>(device) + 1) ^ salt;
}

bool refuse(ncclComm* comm, const char* why) {
  comm->segment->refused.store(1);
  counters().refused.fetch_add(1);
  set_error(why);
  return false;
}

bool arrive(ncclComm* comm) {
  Segment& segment = *comm->segment;
  std::uint64_t none = 0;
  int no_ranks = 0;
  if (!segment.vendor.compare_exchange_strong(none, kVendor) && none != kVendor)
    return refuse(comm, "a rank of another vendor's library");
  if (!segment.ranks.compare_exchange_strong(no_ranks, comm->ranks) && no_ranks != comm->ranks)
    return refuse(comm, "ranks disagree on their number");
  const std::uint64_t mine = who_am_i(comm->device);
  segment.who[comm->rank].store(mine);
  const int before = segment.joined.fetch_add(1);
  for (int r = 0; r < comm->ranks; ++r)
    if (r != comm->rank && segment.who[r].load() == mine) return refuse(comm, "duplicate device");
  if (before + 1 == comm->ranks) forget_name(comm->name);
  return true;
}

// Waits for all ranks; an abort ends it.
ncclResult_t join(ncclComm* comm) {
  if (!arrive(comm)) return ncclInvalidUsage;
  while (comm->segment->joined.load() < comm->ranks) {
    if (comm->aborted) return ncclInternalError;
    if (comm->segment->refused.load() != 0) return ncclInvalidUsage;
    std::this_thread::yield();
  }
  if (comm->segment->refused.load() != 0) return ncclInvalidUsage;
  cudaEventCreateWithFlags(&comm->last, 2);
  comm->magic = kMagic;
  counters().communicators.fetch_add(1);
  return ncclSuccess;
}

bool config_is_good(const ncclConfig_t* config) { return config->magic == 0xcafebeef && config->size <= sizeof(*config); }

}  // namespace

bool alive(const ncclComm* comm) { return comm != nullptr && comm->magic == kMagic; }

ncclResult_t init(ncclComm_t* out, int ranks, const ncclUniqueId& id, int rank, const ncclConfig_t* config) {
  if (out == nullptr || ranks < 1 || ranks > kMostRanks || rank < 0 || rank >= ranks) return invalid("init arguments");
  if (config != nullptr && !config_is_good(config)) return invalid("a config of another version");
  const std::string name = name_of(id);
  if (name.empty()) return invalid("an id that this library did not make");
  auto* comm = new ncclComm;
  comm->rank = rank;
  comm->ranks = ranks;
  comm->name = name;
  comm->blocking = config == nullptr || config->blocking != 0;
  cudaGetDevice(&comm->device);
  comm->segment = open_segment(name);
  if (comm->segment == nullptr) return ncclSystemError;
  *out = comm;  // early, so that another thread may abort
  if (!comm->blocking) {
    comm->state = ncclInProgress;
    std::thread([comm, device = comm->device] {
      cudaSetDevice(device);
      comm->state = join(comm);
    }).detach();
    return ncclInProgress;
  }
  const ncclResult_t joined = join(comm);
  if (joined != ncclSuccess) *out = nullptr;
  return joined;
}

}  // namespace standin_ccl

using namespace standin_ccl;

ncclResult_t ncclGetVersion(int* version) {
  *version = STANDIN_CCL_VERSION;
  return ncclSuccess;
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  std::random_device random;
  Id parts{kIdMagic, {random() | std::uint64_t{random()} << 32, static_cast<std::uint64_t>(getpid())}};
  std::memset(id, 0, sizeof(*id));
  std::memcpy(id->internal, &parts, sizeof(parts));
  return ncclSuccess;
}

ncclResult_t ncclCommInitRank(ncclComm_t* comm, int ranks, ncclUniqueId id, int rank) {
  return init(comm, ranks, id, rank, nullptr);
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int ranks, ncclUniqueId id, int rank, ncclConfig_t* config) {
  return init(comm, ranks, id, rank, config);
}

ncclResult_t ncclCommFinalize(ncclComm_t comm) {
  if (!alive(comm) || comm->finalized) return invalid("finalize");
  comm->finalized = true;
  return ncclSuccess;
}

namespace {

ncclResult_t end(ncclComm_t comm) {
  while (comm->running.load() != 0) std::this_thread::yield();
  comm->magic = 0;  // the memory stays: a late use is noticed
  if (comm->last != nullptr) cudaEventDestroy(comm->last);
  return ncclSuccess;
}

}  // namespace

ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  if (comm == nullptr) return ncclSuccess;
  if (!alive(comm)) return invalid("destroy of what is no communicator");
  return end(comm);
}

ncclResult_t ncclCommAbort(ncclComm_t comm) {
  if (comm == nullptr) return ncclSuccess;
  if (comm->magic != 0 && !alive(comm)) return invalid("abort of what is no communicator");
  counters().aborted.fetch_add(1);
  comm->aborted = true;
  return alive(comm) ? end(comm) : ncclSuccess;  // one that still joins ends itself
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* result) {
  if (comm == nullptr || result == nullptr) return invalid("async error");
  *result = static_cast<ncclResult_t>(comm->state.load());
  return ncclSuccess;
}

ncclResult_t ncclCommCount(const ncclComm_t comm, int* count) {
  if (!alive(comm)) return invalid("count");
  *count = comm->ranks;
  return ncclSuccess;
}
ncclResult_t ncclCommCuDevice(const ncclComm_t comm, int* device) {
  if (!alive(comm)) return invalid("device");
  *device = comm->device;
  return ncclSuccess;
}
ncclResult_t ncclCommUserRank(const ncclComm_t comm, int* rank) {
  if (!alive(comm)) return invalid("rank");
  *rank = comm->rank;
  return ncclSuccess;
}
