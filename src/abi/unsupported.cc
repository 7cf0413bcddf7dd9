// Calls of NCCL and RCCL that this library knows and does not carry out: ncclInvalidUsage, and a text that says what to
// do instead. Wrong handles are still told apart: a null or foreign communicator, or a null window, is
// ncclInvalidArgument.

#include "abi/entry.h"
#include "nccl_device.h"

namespace amalgam::abi {
namespace {

Status refused(const char* function, const char* advice) {
  std::string text = fmt::format("{} is not supported: {}", function, advice);
  log::write(log::Level::kWarn, text);
  return Status(Code::kInvalidUsage, std::move(text));
}

ncclResult_t unsupported(const char* function, const char* advice) {
  return entry(function, [&] { return refused(function, advice); });
}

ncclResult_t unsupported(const char* function, ncclComm_t comm, const char* advice) {
  return groupable_entry(function, [&]() -> Status {
    AMALGAM_TRY(check_communicator(function, comm));
    return refused(function, advice);
  });
}

ncclResult_t unsupported_window(const char* function, ncclWindow_t win, const char* advice) {
  return entry(function, [&]() -> Status {
    AMALGAM_TRY(check_pointer(function, "win", win));
    return refused(function, advice);
  });
}

constexpr const char* kDeviceApi =
    "kernels cannot call this library (ncclCommQueryProperties: deviceApiSupport = false); use the host collectives";
constexpr const char* kOneSided =
    "there are no one-sided operations (ncclCommQueryProperties: hostRmaSupport = false); use ncclSend and ncclRecv";
constexpr const char* kPointers = "peers' memory has no device address here; use ncclWinGetUserPtr for this rank's own";
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

ncclResult_t pncclCommSuspend(ncclComm_t comm, int) { return unsupported("ncclCommSuspend", comm, kSuspend); }
AMALGAM_PUBLIC_NAME(ncclCommSuspend);

ncclResult_t pncclCommResume(ncclComm_t comm) { return unsupported("ncclCommResume", comm, kSuspend); }
AMALGAM_PUBLIC_NAME(ncclCommResume);

ncclResult_t pncclCommMemStats(ncclComm_t comm, ncclCommMemStat_t, uint64_t*) {
  return unsupported("ncclCommMemStats", comm, kSuspend);
}
AMALGAM_PUBLIC_NAME(ncclCommMemStats);

ncclResult_t pncclPutSignal(const void*, size_t, ncclDataType_t, int, ncclWindow_t, size_t, int, int, unsigned int,
                            ncclComm_t comm, ncclStream_t) {
  return unsupported("ncclPutSignal", comm, kOneSided);
}
AMALGAM_PUBLIC_NAME(ncclPutSignal);

ncclResult_t pncclSignal(int, int, int, unsigned int, ncclComm_t comm, ncclStream_t) {
  return unsupported("ncclSignal", comm, kOneSided);
}
AMALGAM_PUBLIC_NAME(ncclSignal);

ncclResult_t pncclWaitSignal(int, ncclWaitSignalDesc_t*, ncclComm_t comm, ncclStream_t) {
  return unsupported("ncclWaitSignal", comm, kOneSided);
}
AMALGAM_PUBLIC_NAME(ncclWaitSignal);

ncclResult_t pncclAllReduceWithBias(const void*, void*, size_t, ncclDataType_t, ncclRedOp_t, ncclComm_t comm,
                                    ncclStream_t, const void*) {
  return unsupported("ncclAllReduceWithBias", comm, "call ncclAllReduce and add the bias to its result");
}
AMALGAM_PUBLIC_NAME(ncclAllReduceWithBias);

ncclResult_t mscclLoadAlgo(const char*, mscclAlgoHandle_t*, int) { return unsupported("mscclLoadAlgo", kMsccl); }

ncclResult_t mscclRunAlgo(const void*, const size_t[], const size_t[], void*, const size_t[], const size_t[], size_t,
                          ncclDataType_t, int, int, ncclRedOp_t, mscclAlgoHandle_t, ncclComm_t comm, ncclStream_t) {
  return unsupported("mscclRunAlgo", comm, kMsccl);
}

ncclResult_t mscclUnloadAlgo(mscclAlgoHandle_t) { return unsupported("mscclUnloadAlgo", kMsccl); }

ncclResult_t pncclDevCommCreate(ncclComm_t comm, ncclDevCommRequirements_t const*, ncclDevComm_t*) {
  return unsupported("ncclDevCommCreate", comm, kDeviceApi);
}
AMALGAM_PUBLIC_NAME(ncclDevCommCreate);

ncclResult_t pncclDevCommDestroy(ncclComm_t comm, ncclDevComm_t const*) {
  return unsupported("ncclDevCommDestroy", comm, kDeviceApi);
}
AMALGAM_PUBLIC_NAME(ncclDevCommDestroy);

int pncclLLA2ACalcSlots(int, int) { return 0; }  // of a buffer that nobody can create
AMALGAM_PUBLIC_NAME(ncclLLA2ACalcSlots);

ncclResult_t pncclLLA2ACreateRequirement(int, int, ncclLLA2AHandle_t*, ncclDevResourceRequirements_t*) {
  return unsupported("ncclLLA2ACreateRequirement", kDeviceApi);
}
AMALGAM_PUBLIC_NAME(ncclLLA2ACreateRequirement);

ncclResult_t pncclLsaBarrierCreateRequirement(ncclTeam_t, int, ncclLsaBarrierHandle_t*,
                                              ncclDevResourceRequirements_t*) {
  return unsupported("ncclLsaBarrierCreateRequirement", kDeviceApi);
}
AMALGAM_PUBLIC_NAME(ncclLsaBarrierCreateRequirement);

ncclResult_t pncclGinBarrierCreateRequirement(ncclComm_t comm, ncclTeam_t, int, ncclGinBarrierHandle_t*,
                                              ncclDevResourceRequirements_t*) {
  return unsupported("ncclGinBarrierCreateRequirement", comm, kDeviceApi);
}
AMALGAM_PUBLIC_NAME(ncclGinBarrierCreateRequirement);

ncclResult_t pncclGinOutboxCreateRequirement(int, int, ncclGinOutboxHandle_t*, ncclDevResourceRequirements_t*) {
  return unsupported("ncclGinOutboxCreateRequirement", kDeviceApi);
}
AMALGAM_PUBLIC_NAME(ncclGinOutboxCreateRequirement);

ncclResult_t pncclGinInboxA2ACreateRequirement(ncclTeam_t, int, int, ncclGinInboxA2AHandle_t*,
                                               ncclDevResourceRequirements_t*) {
  return unsupported("ncclGinInboxA2ACreateRequirement", kDeviceApi);
}
AMALGAM_PUBLIC_NAME(ncclGinInboxA2ACreateRequirement);

ncclResult_t pncclGetLsaDevicePointer(ncclWindow_t win, size_t, int, void**) {
  return unsupported_window("ncclGetLsaDevicePointer", win, kPointers);
}
AMALGAM_PUBLIC_NAME(ncclGetLsaDevicePointer);

ncclResult_t pncclGetPeerDevicePointer(ncclWindow_t win, size_t, int, void**) {
  return unsupported_window("ncclGetPeerDevicePointer", win, kPointers);
}
AMALGAM_PUBLIC_NAME(ncclGetPeerDevicePointer);

ncclResult_t pncclGetLsaMultimemDevicePointer(ncclWindow_t win, size_t, void**) {
  return unsupported_window("ncclGetLsaMultimemDevicePointer", win, kPointers);
}
AMALGAM_PUBLIC_NAME(ncclGetLsaMultimemDevicePointer);

ncclResult_t pncclGetMultimemDevicePointer(ncclWindow_t win, size_t, ncclMultimemHandle_t, void**) {
  return unsupported_window("ncclGetMultimemDevicePointer", win, kPointers);
}
AMALGAM_PUBLIC_NAME(ncclGetMultimemDevicePointer);

ncclResult_t pncclGetPeerDeviceLeInfo(ncclWindow_t win, size_t, int, ncclCftLeId*, size_t*) {
  return unsupported_window("ncclGetPeerDeviceLeInfo", win, kPointers);
}
AMALGAM_PUBLIC_NAME(ncclGetPeerDeviceLeInfo);

ncclResult_t pncclGetMultimemDeviceLeInfo(ncclWindow_t win, size_t, ncclCftLeId*, size_t*) {
  return unsupported_window("ncclGetMultimemDeviceLeInfo", win, kPointers);
}
AMALGAM_PUBLIC_NAME(ncclGetMultimemDeviceLeInfo);

ncclResult_t pncclGetCftDeviceLeInfo(ncclWindow_t win, size_t, int, ncclTeam_t, ncclCftLeId*, size_t*) {
  return unsupported_window("ncclGetCftDeviceLeInfo", win, kPointers);
}
AMALGAM_PUBLIC_NAME(ncclGetCftDeviceLeInfo);

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
