#include "plugins/island/nccl_shaped/island.h"

#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "plugins/island/nccl_shaped/config.h"

namespace amalgam::nccl_shaped {
namespace {

constexpr int kInProgress = 7;
constexpr std::chrono::milliseconds kPatience{200};  // with calls that are inside when the handle goes

Status gone() { return Status(Code::kInvalidUsage, "the vendor's communicator has ended"); }

}  // namespace

Island::~Island() { (void)abort(); }

void* Island::take_handle() { return std::atomic_ref<void*>(comm_).exchange(nullptr, std::memory_order_acq_rel); }

Status Island::connect(ConstBytes id, int rank, int ranks, const island::Config& config) {
  UniqueId unique;
  if (id.size() != unique.bytes.size()) return Status(Code::kProtocol, "a vendor's id of another size");
  std::memcpy(unique.bytes.data(), id.data(), id.size());
  rank_ = rank;
  ranks_ = ranks;
  if (gate_.closed()) return gone();
  if (calls_.CommInitRankConfig == nullptr)
    return library_.status_of("ncclCommInitRank", calls_.CommInitRank(&comm_, ranks, unique, rank));
  ConfigBytes bytes(config, library_.version());
  return wait_until_connected(calls_.CommInitRankConfig(&comm_, ranks, unique, rank, bytes.data()));
}

// A non-blocking init goes on in the vendor's threads; nobody tells when it is done, so it is asked.
Status Island::wait_until_connected(int result) {
  constexpr std::chrono::microseconds kBetween{100};
  while (result == kInProgress) {
    std::this_thread::sleep_for(kBetween);
    const Visit visit(gate_);
    if (!visit) return gone();
    const int asked = calls_.CommGetAsyncError(comm_, &result);
    if (asked != 0) result = asked;
  }
  return library_.status_of("ncclCommInitRankConfig", result);
}

Status Island::issue(const Request& request) {
  const Visit visit(gate_);
  if (!visit) return gone();
  int type = library_.number_of(request.type);
  if (type == Library::kNone && !reduces(request.collective) && size_of(request.type) == 1)
    type = library_.number_of(DataType::kUint8);  // fp8, which an older library can still move
  if (type == Library::kNone) return library_.missing(std::string(name_of(request.type)).c_str());
  if (!reduces(request.collective)) return call(request, type, 0);
  if (request.op == ReduceOp::kPreMulSum) return reduce_with_scalar(request, type);
  return call(request, type, Library::number_of(request.op));
}

// The user's handle is of our making; the vendor's lives for the call, which captures what it needs.
Status Island::reduce_with_scalar(const Request& request, int type) {
  if (calls_.RedOpCreatePreMulSum == nullptr || calls_.RedOpDestroy == nullptr)
    return library_.missing("ncclRedOpCreatePreMulSum");
  constexpr int kDevice = 0, kHostImmediate = 1;
  alignas(8) std::array<std::byte, 8> scalar = request.scalar;
  const bool immediate = request.scalar_at == nullptr;
  void* at = immediate ? scalar.data() : const_cast<void*>(request.scalar_at);
  int op = 0;
  AMALGAM_TRY(
      library_.status_of("ncclRedOpCreatePreMulSum",
                         calls_.RedOpCreatePreMulSum(&op, at, type, immediate ? kHostImmediate : kDevice, comm_)));
  Status issued = call(request, type, op);
  Status destroyed = library_.status_of("ncclRedOpDestroy", calls_.RedOpDestroy(op, comm_));
  return issued.ok() ? std::move(destroyed) : std::move(issued);
}

Status Island::call(const Request& r, int type, int op) {
  void* stream = const_cast<void*>(r.stream);
  const auto told = [this](const char* name, int result) { return library_.status_of(name, result); };
  switch (r.collective) {
    case Collective::kAllReduce:
      return told("ncclAllReduce", calls_.AllReduce(r.in, r.out, r.count, type, op, comm_, stream));
    case Collective::kReduce:
      return told("ncclReduce", calls_.Reduce(r.in, r.out, r.count, type, op, r.root, comm_, stream));
    case Collective::kBroadcast:
      return told("ncclBroadcast", calls_.Broadcast(r.in, r.out, r.count, type, r.root, comm_, stream));
    case Collective::kReduceScatter:
      return told("ncclReduceScatter", calls_.ReduceScatter(r.in, r.out, r.count, type, op, comm_, stream));
    case Collective::kAllGather:
      return told("ncclAllGather", calls_.AllGather(r.in, r.out, r.count, type, comm_, stream));
    case Collective::kSend: return told("ncclSend", calls_.Send(r.in, r.count, type, r.root, comm_, stream));
    case Collective::kRecv: return told("ncclRecv", calls_.Recv(r.out, r.count, type, r.root, comm_, stream));
    case Collective::kAllToAll:
      if (calls_.AlltoAll == nullptr) return compose(r, type);
      return told("ncclAlltoAll", calls_.AlltoAll(r.in, r.out, r.count, type, comm_, stream));
    case Collective::kGather:
      if (calls_.Gather == nullptr) return compose(r, type);
      return told("ncclGather", calls_.Gather(r.in, r.out, r.count, type, r.root, comm_, stream));
    case Collective::kScatter:
      if (calls_.Scatter == nullptr) return compose(r, type);
      return told("ncclScatter", calls_.Scatter(r.in, r.out, r.count, type, r.root, comm_, stream));
    case Collective::kAllToAllV: return compose(r, type);
  }
  return Status(Code::kInternal, "a collective without a number");
}

Result<double> Island::simulate(const Request& request) {
  if (calls_.GroupSimulateEnd == nullptr) return library_.missing("ncclGroupSimulateEnd");
  AMALGAM_TRY(library_.group_start());
  Status issued = issue(request);
  SimulationInfo info;
  info.version = static_cast<std::uint32_t>(library_.version());
  AMALGAM_TRY(library_.status_of("ncclGroupSimulateEnd", calls_.GroupSimulateEnd(&info)));
  if (!issued.ok()) return issued;
  return static_cast<double>(info.microseconds);
}

Code Island::async_error() noexcept {
  const Visit visit(gate_);
  int result = 0;
  if (!visit || calls_.CommGetAsyncError(comm_, &result) != 0) return Code::kOk;  // whoever closed it knows why
  return code_of(result);
}

Status Island::finalize() {
  const Visit visit(gate_);
  if (!visit) return gone();
  if (calls_.CommFinalize == nullptr) return {};
  return library_.status_of("ncclCommFinalize", calls_.CommFinalize(comm_));
}

Status Island::revoke() {
  const Visit visit(gate_);
  if (!visit) return gone();
  if (calls_.CommRevoke == nullptr) return library_.missing("ncclCommRevoke");
  return library_.status_of("ncclCommRevoke", calls_.CommRevoke(comm_, 0));
}

Status Island::destroy() {
  if (!gate_.close(kPatience)) return {};
  void* comm = take_handle();
  return comm == nullptr ? Status() : library_.status_of("ncclCommDestroy", calls_.CommDestroy(comm));
}

Status Island::abort() {
  if (!gate_.close(kPatience)) return {};
  void* comm = take_handle();
  return comm == nullptr ? Status() : library_.status_of("ncclCommAbort", calls_.CommAbort(comm));
}

Status Island::register_buffer(void* buffer, std::size_t bytes, void** handle) {
  const Visit visit(gate_);
  if (!visit) return gone();
  if (calls_.CommRegister == nullptr) return {};  // a hint, which this version does not take
  return library_.status_of("ncclCommRegister", calls_.CommRegister(comm_, buffer, bytes, handle));
}

Status Island::deregister_buffer(void* handle) {
  const Visit visit(gate_);
  if (!visit) return gone();
  if (calls_.CommDeregister == nullptr) return {};
  return library_.status_of("ncclCommDeregister", calls_.CommDeregister(comm_, handle));
}

Status Island::register_window(void* buffer, std::size_t bytes, int flags, void** window) {
  const Visit visit(gate_);
  if (!visit) return gone();
  if (calls_.CommWindowRegister == nullptr) return {};  // as NCCL where it has no symmetric memory: no window
  return library_.status_of("ncclCommWindowRegister", calls_.CommWindowRegister(comm_, buffer, bytes, window, flags));
}

Status Island::deregister_window(void* window) {
  const Visit visit(gate_);
  if (!visit) return gone();
  if (calls_.CommWindowDeregister == nullptr) return {};
  return library_.status_of("ncclCommWindowDeregister", calls_.CommWindowDeregister(comm_, window));
}

}  // namespace amalgam::nccl_shaped
