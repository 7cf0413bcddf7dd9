// Calls of NCCL and RCCL that this library knows and does not carry out itself. Where a vendor's library carries the
// communicator they are that library's; else the answer is ncclInvalidUsage and a text that says what to do instead.
// Wrong handles are still told apart: a null or foreign communicator is ncclInvalidArgument.

#include "abi/vendor.h"

namespace amalgam::abi {
namespace {

ncclResult_t unsupported(const char* function, const char* advice) {
  return entry(function, [&] { return refused(function, advice); });
}

ncclResult_t unsupported(const char* function, ncclComm_t comm, const char* advice) {
  return groupable_entry(function, [&]() -> Status {
    AMALGAM_TRY(check_communicator(function, comm));
    return refused(function, advice);
  });
}

constexpr const char* kOneSided =
    "there are no one-sided operations (ncclCommQueryProperties: hostRmaSupport = false); use ncclSend and ncclRecv";
constexpr const char* kGrow =
    "create a new communicator with ncclGetUniqueId and ncclCommInitRank on all ranks, old and new";
constexpr const char* kSuspend = "there is no device memory to release; destroy the communicator to free its memory";
constexpr const char* kEncryption =
    "the control plane is authenticated by the unique id's secret, data between hosts is sent in the clear; pass "
    "NCCL_ENCRYPTION_MODE_NONE, or tunnel the interfaces of NCCL_SOCKET_IFNAME";
constexpr const char* kMsccl = "schedules come from this library's planner; call the collective itself";

}  // namespace
}  // namespace amalgam::abi

using namespace amalgam::abi;

// Growing joins new ranks to a communicator of ours, whose control plane they would not be in: refused also there.
ncclResult_t pncclCommGetUniqueId(ncclComm_t comm, ncclUniqueId*) {
  return unsupported("ncclCommGetUniqueId", comm, kGrow);
}
AMALGAM_PUBLIC_NAME(ncclCommGetUniqueId);

// The communicator is null on joining ranks, so it is not looked at.
ncclResult_t pncclCommGrow(ncclComm_t, int, const ncclUniqueId*, int, ncclComm_t* newcomm, ncclConfig_t*) {
  if (newcomm != nullptr) *newcomm = nullptr;
  return unsupported("ncclCommGrow", kGrow);
}
AMALGAM_PUBLIC_NAME(ncclCommGrow);

ncclResult_t pncclCommSuspend(ncclComm_t comm, int flags) {
  return by_vendor(pncclCommSuspend, "ncclCommSuspend", kSuspend, comm, comm, flags);
}
AMALGAM_PUBLIC_NAME(ncclCommSuspend);

ncclResult_t pncclCommResume(ncclComm_t comm) {
  return by_vendor(pncclCommResume, "ncclCommResume", kSuspend, comm, comm);
}
AMALGAM_PUBLIC_NAME(ncclCommResume);

ncclResult_t pncclCommMemStats(ncclComm_t comm, ncclCommMemStat_t stat, uint64_t* value) {
  return by_vendor(pncclCommMemStats, "ncclCommMemStats", kSuspend, comm, comm, stat, value);
}
AMALGAM_PUBLIC_NAME(ncclCommMemStats);

ncclResult_t pncclPutSignal(const void* local, size_t count, ncclDataType_t type, int peer, ncclWindow_t window,
                            size_t offset, int signal, int context, unsigned int flags, ncclComm_t comm,
                            ncclStream_t stream) {
  return by_vendor(pncclPutSignal, "ncclPutSignal", kOneSided, comm, local, count, type, peer, window, offset, signal,
                   context, flags, comm, stream);
}
AMALGAM_PUBLIC_NAME(ncclPutSignal);

ncclResult_t pncclSignal(int peer, int signal, int context, unsigned int flags, ncclComm_t comm, ncclStream_t stream) {
  return by_vendor(pncclSignal, "ncclSignal", kOneSided, comm, peer, signal, context, flags, comm, stream);
}
AMALGAM_PUBLIC_NAME(ncclSignal);

ncclResult_t pncclWaitSignal(int count, ncclWaitSignalDesc_t* descriptors, ncclComm_t comm, ncclStream_t stream) {
  return by_vendor(pncclWaitSignal, "ncclWaitSignal", kOneSided, comm, count, descriptors, comm, stream);
}
AMALGAM_PUBLIC_NAME(ncclWaitSignal);

ncclResult_t pncclAllReduceWithBias(const void* in, void* out, size_t count, ncclDataType_t type, ncclRedOp_t op,
                                    ncclComm_t comm, ncclStream_t stream, const void* bias) {
  return by_vendor(pncclAllReduceWithBias, "ncclAllReduceWithBias", "call ncclAllReduce and add the bias to its result",
                   comm, in, out, count, type, op, comm, stream, bias);
}
AMALGAM_PUBLIC_NAME(ncclAllReduceWithBias);

ncclResult_t mscclLoadAlgo(const char*, mscclAlgoHandle_t*, int) { return unsupported("mscclLoadAlgo", kMsccl); }

ncclResult_t mscclRunAlgo(const void*, const size_t[], const size_t[], void*, const size_t[], const size_t[], size_t,
                          ncclDataType_t, int, int, ncclRedOp_t, mscclAlgoHandle_t, ncclComm_t comm, ncclStream_t) {
  return unsupported("mscclRunAlgo", comm, kMsccl);
}

ncclResult_t mscclUnloadAlgo(mscclAlgoHandle_t) { return unsupported("mscclUnloadAlgo", kMsccl); }

ncclResult_t pncclSetEncryption(const ncclEncryptionConfig_t* config) {
  constexpr const char* kName = "ncclSetEncryption";
  return entry(kName, [&]() -> amalgam::Status {
    AMALGAM_TRY(check_pointer(kName, "config", config));
    if (config->size < offsetof(ncclEncryptionConfig_t, psk))
      return invalid_argument("{}: config.size is {}", kName, config->size);
    return config->mode == NCCL_ENCRYPTION_MODE_NONE ? amalgam::Status{} : refused(kName, kEncryption);
  });
}
AMALGAM_PUBLIC_NAME(ncclSetEncryption);
