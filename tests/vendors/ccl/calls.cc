// Collectives, messages, groups, user operations and memory of the stand-in.

#include <cstring>
#include <map>

#include "tests/vendors/ccl/face.h"

namespace standin_ccl {
namespace {

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
thread_local std::string error;

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
  if (call.comm->state != ncclSuccess) return static_cast<ncclResult_t>(call.comm->state.load());
  if (call.type < 0 || call.type >= ncclNumTypes) return invalid("data type");
  if (call.root < 0 || call.root >= call.comm->ranks) return invalid("root or peer");
  if (reduces(call.kind) && (call.op < 0 || !find_scalar(call))) return invalid("reduction operation");
  if (reduces(call.kind) && call.type >= ncclFloat8e4m3) return invalid("fp8 sums need a newer device");
  return ncclSuccess;
}

ncclResult_t enqueue(Call call) {
  const ncclResult_t checked = check(call);
  if (checked != ncclSuccess) {
    if (depth > 0 && group_error == ncclSuccess) group_error = checked;
    return checked;
  }
  const bool message = call.kind == Kind::kSend || call.kind == Kind::kRecv;
  if (call.count == 0 && !message) return ncclSuccess;
  if (depth == 0) return launch({call});
  group.push_back(call);
  return ncclSuccess;
}

}  // namespace

void set_error(const char* text) { error = text; }

ncclResult_t invalid(const char* text) {
  set_error(text);
  return ncclInvalidArgument;
}

Counters& counters() {
  static auto* all = new Counters{};
  return *all;
}

}  // namespace standin_ccl

using namespace standin_ccl;

const Counters* standin_ccl_counters() { return &counters(); }

ncclResult_t ncclGroupStart() {
  ++depth;
  return ncclSuccess;
}

ncclResult_t ncclGroupEnd() {
  if (depth == 0) return ncclInvalidUsage;
  if (--depth > 0) return ncclSuccess;
  std::vector<Call> calls;
  calls.swap(group);
  const ncclResult_t failed = group_error;
  group_error = ncclSuccess;
  if (failed != ncclSuccess) return failed;
  return calls.empty() ? ncclSuccess : launch(calls);
}

ncclResult_t ncclGroupSimulateEnd(ncclSimInfo_t* info) {
  if (depth == 0) return ncclInvalidUsage;
  --depth;
  info->estimatedTime = static_cast<float>(group.size()) * 10;
  group.clear();
  group_error = ncclSuccess;
  return ncclSuccess;
}

ncclResult_t ncclAllReduce(const void* in, void* out, size_t count, ncclDataType_t type, ncclRedOp_t op, ncclComm_t comm,
                           cudaStream_t stream) {
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
ncclResult_t ncclSend(const void* in, size_t count, ncclDataType_t type, int peer, ncclComm_t comm, cudaStream_t stream) {
  return enqueue({Kind::kSend, in, nullptr, count, type, 0, peer, {}, comm, stream});
}
ncclResult_t ncclRecv(void* out, size_t count, ncclDataType_t type, int peer, ncclComm_t comm, cudaStream_t stream) {
  return enqueue({Kind::kRecv, nullptr, out, count, type, 0, peer, {}, comm, stream});
}

ncclResult_t ncclRedOpCreatePreMulSum(ncclRedOp_t* op, void* scalar, ncclDataType_t type, ncclScalarResidence_t where,
                                      ncclComm_t comm) {
  if (!alive(comm) || op == nullptr || scalar == nullptr) return invalid("premulsum");
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

ncclResult_t ncclMemAlloc(void** out, size_t bytes) {
  return cudaMalloc(out, bytes) == face::kSuccess ? ncclSuccess : ncclUnhandledCudaError;
}
ncclResult_t ncclMemFree(void* memory) {
  return cudaFree(memory) == face::kSuccess ? ncclSuccess : ncclUnhandledCudaError;
}
ncclResult_t ncclCommRegister(const ncclComm_t comm, void* buffer, size_t, void** handle) {
  if (!alive(comm)) return invalid("register");
  *handle = buffer;
  return ncclSuccess;
}
ncclResult_t ncclCommDeregister(const ncclComm_t comm, void*) { return alive(comm) ? ncclSuccess : invalid("deregister"); }

const char* ncclGetErrorString(ncclResult_t result) {
  return result == ncclSuccess ? "no error" : "an error of the stand-in";
}
const char* ncclGetLastError(ncclComm_t) { return error.c_str(); }
