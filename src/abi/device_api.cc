// The device interface: a vendor's, where its library carries the communicator or serves the thread's device; kernels
// cannot call this library itself.

#include "abi/vendor.h"
#include "nccl_device.h"

namespace amalgam::abi {
namespace {

constexpr const char* kDeviceApi =
    "kernels cannot call this library (ncclCommQueryProperties: deviceApiSupport = false); use the host collectives";
constexpr const char* kPointers = "peers' memory has no device address here; use ncclWinGetUserPtr for this rank's own";

template <typename... Parameters>
ncclResult_t of_window(ncclResult_t (*shape)(Parameters...), const char* function, ncclWindow_t win,
                       std::type_identity_t<Parameters>... arguments) {
  if (win != nullptr) return by_vendor_of_thread(shape, function, kPointers, arguments...);
  return entry(function, [&] { return check_pointer(function, "win", win); });
}

}  // namespace
}  // namespace amalgam::abi

using namespace amalgam::abi;

ncclResult_t pncclDevCommCreate(ncclComm_t comm, ncclDevCommRequirements_t const* requirements, ncclDevComm_t* out) {
  return by_vendor(pncclDevCommCreate, "ncclDevCommCreate", kDeviceApi, comm, comm, requirements, out);
}
AMALGAM_PUBLIC_NAME(ncclDevCommCreate);

ncclResult_t pncclDevCommDestroy(ncclComm_t comm, ncclDevComm_t const* device) {
  return by_vendor(pncclDevCommDestroy, "ncclDevCommDestroy", kDeviceApi, comm, comm, device);
}
AMALGAM_PUBLIC_NAME(ncclDevCommDestroy);

int pncclLLA2ACalcSlots(int elements, int size) {
  const amalgam::launch::VendorFunction found = amalgam::launch::vendor_function_of_thread("ncclLLA2ACalcSlots");
  if (found.function == nullptr) return 0;  // of a buffer that nobody can create
  return reinterpret_cast<int (*)(int, int)>(found.function)(elements, size);
}
AMALGAM_PUBLIC_NAME(ncclLLA2ACalcSlots);

ncclResult_t pncclLLA2ACreateRequirement(int blocks, int slots, ncclLLA2AHandle_t* handle,
                                         ncclDevResourceRequirements_t* requirements) {
  return by_vendor_of_thread(pncclLLA2ACreateRequirement, "ncclLLA2ACreateRequirement", kDeviceApi, blocks, slots,
                             handle, requirements);
}
AMALGAM_PUBLIC_NAME(ncclLLA2ACreateRequirement);

ncclResult_t pncclLsaBarrierCreateRequirement(ncclTeam_t team, int barriers, ncclLsaBarrierHandle_t* handle,
                                              ncclDevResourceRequirements_t* requirements) {
  return by_vendor_of_thread(pncclLsaBarrierCreateRequirement, "ncclLsaBarrierCreateRequirement", kDeviceApi, team,
                             barriers, handle, requirements);
}
AMALGAM_PUBLIC_NAME(ncclLsaBarrierCreateRequirement);

ncclResult_t pncclGinBarrierCreateRequirement(ncclComm_t comm, ncclTeam_t team, int barriers,
                                              ncclGinBarrierHandle_t* handle,
                                              ncclDevResourceRequirements_t* requirements) {
  return by_vendor(pncclGinBarrierCreateRequirement, "ncclGinBarrierCreateRequirement", kDeviceApi, comm, comm, team,
                   barriers, handle, requirements);
}
AMALGAM_PUBLIC_NAME(ncclGinBarrierCreateRequirement);

ncclResult_t pncclGinOutboxCreateRequirement(int count, int size, ncclGinOutboxHandle_t* handle,
                                             ncclDevResourceRequirements_t* requirements) {
  return by_vendor_of_thread(pncclGinOutboxCreateRequirement, "ncclGinOutboxCreateRequirement", kDeviceApi, count, size,
                             handle, requirements);
}
AMALGAM_PUBLIC_NAME(ncclGinOutboxCreateRequirement);

ncclResult_t pncclGinInboxA2ACreateRequirement(ncclTeam_t team, int count, int size, ncclGinInboxA2AHandle_t* handle,
                                               ncclDevResourceRequirements_t* requirements) {
  return by_vendor_of_thread(pncclGinInboxA2ACreateRequirement, "ncclGinInboxA2ACreateRequirement", kDeviceApi, team,
                             count, size, handle, requirements);
}
AMALGAM_PUBLIC_NAME(ncclGinInboxA2ACreateRequirement);

ncclResult_t pncclGetLsaDevicePointer(ncclWindow_t win, size_t offset, int rank, void** out) {
  return of_window(pncclGetLsaDevicePointer, "ncclGetLsaDevicePointer", win, win, offset, rank, out);
}
AMALGAM_PUBLIC_NAME(ncclGetLsaDevicePointer);

ncclResult_t pncclGetPeerDevicePointer(ncclWindow_t win, size_t offset, int rank, void** out) {
  return of_window(pncclGetPeerDevicePointer, "ncclGetPeerDevicePointer", win, win, offset, rank, out);
}
AMALGAM_PUBLIC_NAME(ncclGetPeerDevicePointer);

ncclResult_t pncclGetLsaMultimemDevicePointer(ncclWindow_t win, size_t offset, void** out) {
  return of_window(pncclGetLsaMultimemDevicePointer, "ncclGetLsaMultimemDevicePointer", win, win, offset, out);
}
AMALGAM_PUBLIC_NAME(ncclGetLsaMultimemDevicePointer);

ncclResult_t pncclGetMultimemDevicePointer(ncclWindow_t win, size_t offset, ncclMultimemHandle_t multimem, void** out) {
  return of_window(pncclGetMultimemDevicePointer, "ncclGetMultimemDevicePointer", win, win, offset, multimem, out);
}
AMALGAM_PUBLIC_NAME(ncclGetMultimemDevicePointer);

ncclResult_t pncclGetPeerDeviceLeInfo(ncclWindow_t win, size_t offset, int rank, ncclCftLeId* id, size_t* out) {
  return of_window(pncclGetPeerDeviceLeInfo, "ncclGetPeerDeviceLeInfo", win, win, offset, rank, id, out);
}
AMALGAM_PUBLIC_NAME(ncclGetPeerDeviceLeInfo);

ncclResult_t pncclGetMultimemDeviceLeInfo(ncclWindow_t win, size_t offset, ncclCftLeId* id, size_t* out) {
  return of_window(pncclGetMultimemDeviceLeInfo, "ncclGetMultimemDeviceLeInfo", win, win, offset, id, out);
}
AMALGAM_PUBLIC_NAME(ncclGetMultimemDeviceLeInfo);

ncclResult_t pncclGetCftDeviceLeInfo(ncclWindow_t win, size_t offset, int rank, ncclTeam_t team, ncclCftLeId* id,
                                     size_t* out) {
  return of_window(pncclGetCftDeviceLeInfo, "ncclGetCftDeviceLeInfo", win, win, offset, rank, team, id, out);
}
AMALGAM_PUBLIC_NAME(ncclGetCftDeviceLeInfo);
