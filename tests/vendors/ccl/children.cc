// Communicators made of others, and several at once.

#include <algorithm>
#include <thread>

#include "tests/vendors/ccl/face.h"

using namespace standin_ccl;

#if STANDIN_CCL_VERSION >= 21800
namespace {

template <typename Reached>
bool wait_all(const ncclComm& comm, Reached reached) {
  for (int r = 0; r < comm.ranks; ++r)
    while (!reached(comm.segment->choice[r])) {
      if (comm.aborted) return false;
      std::this_thread::yield();
    }
  return true;
}

struct Split {
  int color, key;
  std::uint64_t number;
};

// Everybody's color and key; then the ranks of this color in the order of (key, rank).
bool agree(ncclComm& comm, const Split& split, std::vector<int>* members) {
  if (!wait_all(comm, [&](const Choice& other) { return other.seen.load() + 1 >= split.number; })) return false;
  Choice& mine = comm.segment->choice[comm.rank];
  mine.color = split.color;
  mine.key = split.key;
  mine.said = split.number;
  if (!wait_all(comm, [&](const Choice& other) { return other.said.load() >= split.number; })) return false;
  std::vector<int> keys;
  for (int r = 0; r < comm.ranks; ++r) {
    keys.push_back(comm.segment->choice[r].key);
    if (comm.segment->choice[r].color == split.color) members->push_back(r);
  }
  mine.seen = split.number;
  std::stable_sort(members->begin(), members->end(),
                   [&](int a, int b) { return keys[static_cast<std::size_t>(a)] < keys[static_cast<std::size_t>(b)]; });
  return true;
}

ncclResult_t enter_child(ncclComm_t* out, const ncclComm& parent, const std::vector<int>& members,
                         const std::string& which, bool blocking) {
  const auto own = std::find(members.begin(), members.end(), parent.rank);
  return enter(out, {static_cast<int>(members.size()), static_cast<int>(own - members.begin()), parent.device,
                     child_name(parent, which), blocking});
}

}  // namespace
#endif

ncclResult_t ncclCommInitAll(ncclComm_t* comms, int devices, const int* list) {
  if (comms == nullptr || devices < 1 || devices > kMostRanks) return invalid("init all");
  ncclUniqueId id;
  if (ncclGetUniqueId(&id) != ncclSuccess) return ncclInvalidArgument;
  int before = 0;
  cudaGetDevice(&before);
  start_group();
  ncclResult_t result = ncclSuccess;
  for (int d = 0; d < devices && result == ncclSuccess; ++d)
    result = cudaSetDevice(list == nullptr ? d : list[d]) == face::kSuccess ? init(comms + d, devices, id, d, nullptr)
                                                                            : ncclUnhandledCudaError;
  cudaSetDevice(before);
  const ncclResult_t ended = end_group(result);
  return result == ncclSuccess ? ended : result;
}

#if STANDIN_CCL_VERSION >= 21800
ncclResult_t ncclCommSplit(ncclComm_t comm, int color, int key, ncclComm_t* out, ncclConfig_t* config) {
  if (!alive(comm) || out == nullptr || color < NCCL_SPLIT_NOCOLOR) return invalid("split");
  if (comm->state != ncclSuccess || comm->revoked) return ncclInvalidUsage;
  bool blocking = comm->blocking;
  if (!read_config(config, &blocking)) return invalid("not a config");
  *out = nullptr;
  const Split split{color, key, ++comm->splits};
  return now_or_in_group([=] {
    std::vector<int> members;
    if (!agree(*comm, split, &members)) return ncclInternalError;
    if (color == NCCL_SPLIT_NOCOLOR) return ncclSuccess;
    const std::string which = "split " + std::to_string(split.number) + " " + std::to_string(color);
    return enter_child(out, *comm, members, which, blocking);
  });
}
#endif

#if STANDIN_CCL_VERSION >= 22700
ncclResult_t ncclCommShrink(ncclComm_t comm, int* excluded, int count, ncclComm_t* out, ncclConfig_t* config,
                            int flags) {
  if (!alive(comm) || out == nullptr || excluded == nullptr || count < 1 || flags < 0 || flags > NCCL_SHRINK_ABORT)
    return invalid("shrink");
  bool blocking = comm->blocking;
  if (!read_config(config, &blocking)) return invalid("not a config");
  std::vector<int> members;
  std::string which = "shrink " + std::to_string(++comm->shrinks);
  for (int i = 0; i < count; ++i)
    if (excluded[i] < 0 || excluded[i] >= comm->ranks || excluded[i] == comm->rank) return invalid("excluded ranks");
  for (int r = 0; r < comm->ranks; ++r)
    if (std::find(excluded, excluded + count, r) == excluded + count) {
      members.push_back(r);
      which += " " + std::to_string(r);
    }
  if (flags == NCCL_SHRINK_ABORT) {  // its kernels end; afterwards it can only be destroyed
    comm->revoked = true;
    while (comm->running.load() != 0) std::this_thread::yield();
  }
  return enter_child(out, *comm, members, which, blocking);
}
#endif
