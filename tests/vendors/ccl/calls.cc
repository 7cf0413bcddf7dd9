// Collectives, messages, groups and user operations of the stand-in.

#include <cstring>
#include <map>
#include <thread>

#include "tests/vendors/ccl/face.h"

namespace standin_ccl {
namespace {

constexpr int kTypes = STANDIN_CCL_VERSION >= 22400 ? ncclNumTypes : ncclFloat8e4m3;

struct UserOperation {
  Scalar scalar;
  int type;
};
struct UserOperations {
  std::mutex lock;
  std::map<std::pair<ncclComm*, int>, UserOperation> all;
  int next = ncclNumOps;
};
UserOperations& user_operations() {
  static auto* all = new UserOperations;
  return *all;
}

thread_local int depth = 0;
thread_local std::vector<Call> group;
thread_local ncclResult_t group_error = ncclSuccess;
thread_local std::vector<std::function<ncclResult_t()>> jobs;

bool find_scalar(Call& call) {
  if (call.op < ncclNumOps) return true;
  UserOperations& all = user_operations();
  const std::lock_guard hold(all.lock);
  const auto found = all.all.find({call.comm, call.op});
  if (found == all.all.end() || found->second.type != call.type) return false;
  call.scalar = found->second.scalar;
  return true;
}

ncclResult_t check(Call& call) {
  if (!alive(call.comm)) return invalid("not a communicator of this library");
  ncclResult_t state = ncclSuccess;
  if (ncclCommGetAsyncError(call.comm, &state) != ncclSuccess)
    return ncclInternalError;  // a call of our own went astray
  if (state != ncclSuccess) return state;
  if (call.comm->finalized || call.comm->revoked) return ncclInvalidUsage;
  if (call.type < 0 || call.type >= kTypes) return invalid("data type");
  if (call.root < 0 || call.root >= call.comm->ranks) return invalid("root or peer");
  if (reduces(call.kind) && (call.op < 0 || !find_scalar(call))) return invalid("reduction operation");
  return ncclSuccess;
}

// What a kernel would touch must be memory that the communicator's device reaches.
void check_memory(const ncclComm& comm, const void* memory) {
  cudaPointerAttributes attributes{};
  if (memory == nullptr || cudaPointerGetAttributes(&attributes, memory) != face::kSuccess ||
      attributes.type == face::kUnknownPointer)
    misuse("collective", "a kernel reads or writes memory that the device does not reach");
  if (attributes.type == face::kDeviceType && attributes.device != comm.device)
    misuse("collective", "a kernel reads or writes memory of another device than its communicator's");
}

void check_buffers(const Call& call) {
  if (call.count == 0) return;
  const bool root = call.comm->rank == call.root,
             at_root_only = call.kind == Kind::kReduce || call.kind == Kind::kGather;
  const bool from_root = call.kind == Kind::kBroadcast || call.kind == Kind::kScatter;
  if (call.kind != Kind::kRecv && (root || !from_root)) check_memory(*call.comm, call.in);
  if (call.kind != Kind::kSend && (root || !at_root_only)) check_memory(*call.comm, call.out);
}

ncclResult_t enqueue(Call call) {
  const ncclResult_t checked = check(call);
  if (checked != ncclSuccess) {
    if (depth > 0 && group_error == ncclSuccess) group_error = checked;
    return checked;
  }
  const bool message = call.kind == Kind::kSend || call.kind == Kind::kRecv;
  if (call.count == 0 && !message) return ncclSuccess;
  check_buffers(call);
  if (depth == 0) return launch({call});
  group.push_back(call);
  return ncclSuccess;
}

}  // namespace

ncclResult_t now_or_in_group(std::function<ncclResult_t()> job) {
  if (depth == 0) return job();
  jobs.push_back(std::move(job));
  return ncclSuccess;
}

namespace {

// A job may wait for the next one's, so each has a thread.
ncclResult_t run_jobs() {
  std::vector<std::function<ncclResult_t()>> all;
  all.swap(jobs);
  std::vector<ncclResult_t> results(all.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < all.size(); ++i) threads.emplace_back([&, i] { results[i] = all[i](); });
  for (std::thread& thread : threads) thread.join();
  for (ncclResult_t result : results)
    if (result != ncclSuccess) {
      set_error(ncclGetErrorString(result));
      return result;
    }
  return ncclSuccess;
}

}  // namespace

void start_group() { ++depth; }

ncclResult_t end_group(ncclResult_t reason) {
  if (reason != ncclSuccess && group_error == ncclSuccess) group_error = reason;
  if (depth == 0) return ncclInvalidUsage;
  if (--depth > 0) return ncclSuccess;
  std::vector<Call> calls;
  calls.swap(group);
  const ncclResult_t failed = group_error;
  group_error = ncclSuccess;
  if (failed != ncclSuccess) {
    jobs.clear();
    return failed;
  }
  if (const ncclResult_t ran = run_jobs(); ran != ncclSuccess) return ran;
  return calls.empty() ? ncclSuccess : launch(calls);
}

}  // namespace standin_ccl

using namespace standin_ccl;

ncclResult_t ncclGroupStart() {
  start_group();
  return ncclSuccess;
}

ncclResult_t ncclGroupEnd() { return end_group(); }

#if STANDIN_CCL_VERSION >= 22200
ncclResult_t ncclGroupSimulateEnd(ncclSimInfo_t* info) {
  if (depth == 0) return ncclInvalidUsage;
  if (info == nullptr) return invalid("no place for the estimate");
  --depth;
  info->estimatedTime = static_cast<float>(group.size()) * 10;
  group.clear();
  jobs.clear();
  group_error = ncclSuccess;
  return ncclSuccess;
}
#endif

ncclResult_t ncclAllReduce(const void* in, void* out, size_t count, ncclDataType_t type, ncclRedOp_t op,
                           ncclComm_t comm, cudaStream_t stream) {
  return enqueue({Kind::kAllReduce, in, out, count, type, op, 0, {}, comm, stream});
}
ncclResult_t ncclReduce(const void* in, void* out, size_t count, ncclDataType_t type, ncclRedOp_t op, int root,
                        ncclComm_t comm, cudaStream_t stream) {
  return enqueue({Kind::kReduce, in, out, count, type, op, root, {}, comm, stream});
}
ncclResult_t ncclBroadcast(const void* in, void* out, size_t count, ncclDataType_t type, int root, ncclComm_t comm,
                           cudaStream_t stream) {
  return enqueue({Kind::kBroadcast, in, out, count, type, 0, root, {}, comm, stream});
}
// Through the linkage table, as the real one.
ncclResult_t ncclBcast(void* data, size_t count, ncclDataType_t type, int root, ncclComm_t comm, cudaStream_t stream) {
  return ncclBroadcast(data, data, count, type, root, comm, stream);
}
ncclResult_t ncclReduceScatter(const void* in, void* out, size_t count, ncclDataType_t type, ncclRedOp_t op,
                               ncclComm_t comm, cudaStream_t stream) {
  return enqueue({Kind::kReduceScatter, in, out, count, type, op, 0, {}, comm, stream});
}
ncclResult_t ncclAllGather(const void* in, void* out, size_t count, ncclDataType_t type, ncclComm_t comm,
                           cudaStream_t stream) {
  return enqueue({Kind::kAllGather, in, out, count, type, 0, 0, {}, comm, stream});
}
#if STANDIN_CCL_VERSION >= 22800 || defined(STANDIN_CCL_GATHER)
ncclResult_t ncclAlltoAll(const void* in, void* out, size_t count, ncclDataType_t type, ncclComm_t comm,
                          cudaStream_t stream) {
  return enqueue({Kind::kAllToAll, in, out, count, type, 0, 0, {}, comm, stream});
}
ncclResult_t ncclGather(const void* in, void* out, size_t count, ncclDataType_t type, int root, ncclComm_t comm,
                        cudaStream_t stream) {
  return enqueue({Kind::kGather, in, out, count, type, 0, root, {}, comm, stream});
}
ncclResult_t ncclScatter(const void* in, void* out, size_t count, ncclDataType_t type, int root, ncclComm_t comm,
                         cudaStream_t stream) {
  return enqueue({Kind::kScatter, in, out, count, type, 0, root, {}, comm, stream});
}
#endif
ncclResult_t ncclSend(const void* in, size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
  return enqueue({Kind::kSend, in, nullptr, count, type, 0, peer, {}, comm, stream});
}
ncclResult_t ncclRecv(void* out, size_t count, ncclDataType_t type, int peer, ncclComm_t comm, cudaStream_t stream) {
  return enqueue({Kind::kRecv, nullptr, out, count, type, 0, peer, {}, comm, stream});
}

#if STANDIN_CCL_VERSION >= 21100
ncclResult_t ncclRedOpCreatePreMulSum(ncclRedOp_t* op, void* scalar, ncclDataType_t type, ncclScalarResidence_t where,
                                      ncclComm_t comm) {
  if (!alive(comm) || op == nullptr || scalar == nullptr) return invalid("premulsum");
  if (type < 0 || type >= kTypes || where < ncclScalarDevice || where > ncclScalarHostImmediate)
    return invalid("premulsum");
  UserOperation made{{true, nullptr, {}}, type};
  if (where == ncclScalarDevice) {
    made.scalar.at = scalar;
  } else {
    std::memcpy(made.scalar.bytes, scalar, size_of(type));
  }
  UserOperations& all = user_operations();
  const std::lock_guard hold(all.lock);
  *op = static_cast<ncclRedOp_t>(all.next++);
  all.all[{comm, *op}] = made;
  return ncclSuccess;
}

ncclResult_t ncclRedOpDestroy(ncclRedOp_t op, ncclComm_t comm) {
  UserOperations& all = user_operations();
  const std::lock_guard hold(all.lock);
  return all.all.erase({comm, op}) == 1 ? ncclSuccess : invalid("not a live operation of this communicator");
}
#endif
