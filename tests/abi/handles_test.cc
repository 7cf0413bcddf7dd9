// What each exported function says to a communicator that is none: NULL, another library's, or destroyed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nccl.h>
#include <nccl_device.h>

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "amalgam/amalgam.h"

namespace {

using testing::StartsWith;

struct Function {
  const char* name;
  std::function<ncclResult_t(ncclComm_t)> call;
};

// Arguments that are right otherwise.
float in[8], out[8];
std::size_t counts[2] = {1, 1}, offsets[2] = {0, 1};
int number;
std::uint64_t bytes;
void* pointer;
ncclComm_t child;
ncclRedOp_t made;
ncclResult_t state;
ncclUniqueId id;
ncclDevComm_t device;
ncclWindow_t window;
char text[8];

const std::vector<Function>& collectives() {
  constexpr auto kFloat = ncclFloat32;
  static const auto* const all = new std::vector<Function>{
      {"ncclAllReduce", [](ncclComm_t c) { return ncclAllReduce(in, out, 1, kFloat, ncclSum, c, nullptr); }},
      {"ncclReduce", [](ncclComm_t c) { return ncclReduce(in, out, 1, kFloat, ncclSum, 0, c, nullptr); }},
      {"ncclBroadcast", [](ncclComm_t c) { return ncclBroadcast(in, out, 1, kFloat, 0, c, nullptr); }},
      {"ncclBcast", [](ncclComm_t c) { return ncclBcast(in, 1, kFloat, 0, c, nullptr); }},
      {"ncclReduceScatter", [](ncclComm_t c) { return ncclReduceScatter(in, out, 1, kFloat, ncclSum, c, nullptr); }},
      {"ncclAllGather", [](ncclComm_t c) { return ncclAllGather(in, out, 1, kFloat, c, nullptr); }},
      {"ncclAlltoAll", [](ncclComm_t c) { return ncclAlltoAll(in, out, 1, kFloat, c, nullptr); }},
      {"ncclAllToAll", [](ncclComm_t c) { return ncclAllToAll(in, out, 1, kFloat, c, nullptr); }},
      {"ncclAlltoAllv",
       [](ncclComm_t c) { return ncclAlltoAllv(in, counts, offsets, out, counts, offsets, kFloat, c, nullptr); }},
      {"ncclAllToAllv",
       [](ncclComm_t c) { return ncclAllToAllv(in, counts, offsets, out, counts, offsets, kFloat, c, nullptr); }},
      {"ncclGather", [](ncclComm_t c) { return ncclGather(in, out, 1, kFloat, 0, c, nullptr); }},
      {"ncclScatter", [](ncclComm_t c) { return ncclScatter(in, out, 1, kFloat, 0, c, nullptr); }},
      {"ncclSend", [](ncclComm_t c) { return ncclSend(in, 1, kFloat, 0, c, nullptr); }},
      {"ncclRecv", [](ncclComm_t c) { return ncclRecv(out, 1, kFloat, 0, c, nullptr); }},
      {"ncclAllReduceConfig",
       [](ncclComm_t c) { return ncclAllReduceConfig(in, out, 1, kFloat, ncclSum, c, nullptr, nullptr); }},
      {"ncclReduceConfig",
       [](ncclComm_t c) { return ncclReduceConfig(in, out, 1, kFloat, ncclSum, 0, c, nullptr, nullptr); }},
      {"ncclBroadcastConfig",
       [](ncclComm_t c) { return ncclBroadcastConfig(in, out, 1, kFloat, 0, c, nullptr, nullptr); }},
      {"ncclReduceScatterConfig",
       [](ncclComm_t c) { return ncclReduceScatterConfig(in, out, 1, kFloat, ncclSum, c, nullptr, nullptr); }},
      {"ncclAllGatherConfig",
       [](ncclComm_t c) { return ncclAllGatherConfig(in, out, 1, kFloat, c, nullptr, nullptr); }},
      {"ncclAlltoAllConfig", [](ncclComm_t c) { return ncclAlltoAllConfig(in, out, 1, kFloat, c, nullptr, nullptr); }},
      {"ncclGatherConfig", [](ncclComm_t c) { return ncclGatherConfig(in, out, 1, kFloat, 0, c, nullptr, nullptr); }},
      {"ncclScatterConfig", [](ncclComm_t c) { return ncclScatterConfig(in, out, 1, kFloat, 0, c, nullptr, nullptr); }},
  };
  return *all;
}

const std::vector<Function>& others() {
  static const auto* const all = new std::vector<Function>{
      {"ncclCommFinalize", [](ncclComm_t c) { return ncclCommFinalize(c); }},
      {"ncclCommRevoke", [](ncclComm_t c) { return ncclCommRevoke(c, 0); }},
      {"ncclCommSplit", [](ncclComm_t c) { return ncclCommSplit(c, 0, 0, &child, nullptr); }},
      {"ncclCommShrink", [](ncclComm_t c) { return ncclCommShrink(c, &number, 1, &child, nullptr, 0); }},
      {"ncclCommGetAsyncError", [](ncclComm_t c) { return ncclCommGetAsyncError(c, &state); }},
      {"ncclCommCount", [](ncclComm_t c) { return ncclCommCount(c, &number); }},
      {"ncclCommCuDevice", [](ncclComm_t c) { return ncclCommCuDevice(c, &number); }},
      {"ncclCommUserRank", [](ncclComm_t c) { return ncclCommUserRank(c, &number); }},
      {"ncclCommQueryProperties",
       [](ncclComm_t c) {
         ncclCommProperties_t properties = NCCL_COMM_PROPERTIES_INITIALIZER;
         return ncclCommQueryProperties(c, &properties);
       }},
      {"ncclCommRegister", [](ncclComm_t c) { return ncclCommRegister(c, in, 8, &pointer); }},
      {"ncclCommDeregister", [](ncclComm_t c) { return ncclCommDeregister(c, in); }},
      {"ncclCommWindowRegister", [](ncclComm_t c) { return ncclCommWindowRegister(c, in, 8, &window, 0); }},
      {"ncclCommWindowDeregister", [](ncclComm_t c) { return ncclCommWindowDeregister(c, nullptr); }},
      {"ncclWinGetUserPtr", [](ncclComm_t c) { return ncclWinGetUserPtr(c, window, &pointer); }},
      {"ncclRedOpCreatePreMulSum",
       [](ncclComm_t c) { return ncclRedOpCreatePreMulSum(&made, in, ncclFloat32, ncclScalarHostImmediate, c); }},
      {"ncclRedOpDestroy", [](ncclComm_t c) { return ncclRedOpDestroy(ncclSum, c); }},
      {"ncclCommGetUniqueId", [](ncclComm_t c) { return ncclCommGetUniqueId(c, &id); }},
      {"ncclCommSuspend", [](ncclComm_t c) { return ncclCommSuspend(c, 1); }},
      {"ncclCommResume", [](ncclComm_t c) { return ncclCommResume(c); }},
      {"ncclCommMemStats", [](ncclComm_t c) { return ncclCommMemStats(c, ncclStatGpuMemTotal, &bytes); }},
      {"ncclPutSignal",
       [](ncclComm_t c) { return ncclPutSignal(in, 1, ncclFloat32, 0, window, 0, 0, 0, 0, c, nullptr); }},
      {"ncclSignal", [](ncclComm_t c) { return ncclSignal(0, 0, 0, 0, c, nullptr); }},
      {"ncclWaitSignal", [](ncclComm_t c) { return ncclWaitSignal(0, nullptr, c, nullptr); }},
      {"ncclAllReduceWithBias",
       [](ncclComm_t c) { return ncclAllReduceWithBias(in, out, 1, ncclFloat32, ncclSum, c, nullptr, in); }},
      {"mscclRunAlgo",
       [](ncclComm_t c) {
         return mscclRunAlgo(in, counts, offsets, out, counts, offsets, 1, ncclFloat32, 0, 0, ncclSum, 0, c, nullptr);
       }},
      {"ncclDevCommCreate", [](ncclComm_t c) { return ncclDevCommCreate(c, nullptr, &device); }},
      {"ncclDevCommDestroy", [](ncclComm_t c) { return ncclDevCommDestroy(c, &device); }},
      {"ncclGinBarrierCreateRequirement",
       [](ncclComm_t c) { return ncclGinBarrierCreateRequirement(c, {}, 1, nullptr, nullptr); }},
      {"ncclTeamWorld", [](ncclComm_t c) { return ncclTeamWorld(c).nRanks == 0 ? ncclInvalidArgument : ncclSuccess; }},
      {"ncclTeamRankToWorld",
       [](ncclComm_t c) {
         return ncclTeamRankToWorld(c, {1, 0, 1}, 0) < 0 ? ncclInvalidArgument : ncclSuccess;
       }},
      {"amalgam_predict", [](ncclComm_t c) { return amalgam_predict(c, 0, 1, ncclFloat32, nullptr, nullptr); }},
      {"amalgam_describe", [](ncclComm_t c) { return amalgam_describe(c, text, sizeof(text)); }},
  };
  return *all;
}

void expect_refused(const Function& function, ncclComm_t comm) {
  EXPECT_EQ(function.call(comm), ncclInvalidArgument) << function.name;
  EXPECT_THAT(ncclGetLastError(nullptr), StartsWith(std::string(function.name) + ": the communicator is "));
}

TEST(Handles, NullIsRefusedByEveryFunctionByItsName) {
  for (const auto& list : {collectives(), others()})
    for (const Function& function : list) expect_refused(function, nullptr);
  EXPECT_EQ(ncclCommDestroy(nullptr), ncclSuccess);
  EXPECT_EQ(ncclCommAbort(nullptr), ncclSuccess);
}

// A destroyed communicator begins with 0 as long as its memory is there, NCCL's own with its magic.
TEST(Handles, ForeignAndDestroyedOnesAreRefusedByEveryFunctionByItsName) {
  alignas(64) std::array<std::uint64_t, 512> foreign{};
  for (const std::uint64_t magic : {std::uint64_t{0}, std::uint64_t{0x0280028002800280}}) {
    foreign[0] = magic;
    auto comm = reinterpret_cast<ncclComm_t>(foreign.data());
    for (const auto& list : {collectives(), others()})
      for (const Function& function : list) expect_refused(function, comm);
    expect_refused({"ncclCommDestroy", ncclCommDestroy}, comm);
    expect_refused({"ncclCommAbort", ncclCommAbort}, comm);
  }
}

}  // namespace
