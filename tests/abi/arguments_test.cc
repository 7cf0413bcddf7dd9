// What each exported function says to wrong arguments, through the shared library itself. Two ranks live in this
// process, so that roots and peers have a range; nothing here communicates.

#include <gtest/gtest.h>
#include <nccl.h>
#include <nccl_device.h>

#include <array>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace {

constexpr int kRanks = 2;

class Arguments : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    ASSERT_EQ(ncclCommInitAll(comms, kRanks, nullptr), ncclSuccess) << ncclGetLastError(nullptr);
  }
  static void TearDownTestSuite() {
    ncclGroupStart();
    for (ncclComm_t comm : comms) ncclCommDestroy(comm);
    ncclGroupEnd();
  }
  static ncclComm_t comms[kRanks];
  float in[8] = {};
  float out[8] = {};
};
ncclComm_t Arguments::comms[kRanks];

struct Plain {
  const void* in;
  void* out;
  std::size_t count;
  int type;
  int op;
  int root;
  ncclComm_t comm;
};

struct Function {
  const char* name;
  bool reduces, rooted;
  bool reads_off_root, writes_off_root;  // whether a buffer may not be null there
  std::function<ncclResult_t(const Plain&)> call;
};

// Values outside an enumeration, as C callers can pass them.
template <typename Enum>
Enum as(int value) {
  Enum result;
  std::memcpy(&result, &value, sizeof(result));
  return result;
}

// A bool's byte as it lies in memory, which may be neither 0 nor 1.
int raw_byte(const bool& value) {
  unsigned char byte;
  std::memcpy(&byte, &value, sizeof(byte));
  return byte;
}

#define TYPE as<ncclDataType_t>(p.type)
#define OP as<ncclRedOp_t>(p.op)
const std::vector<Function>& functions() {
  static const auto* const all = new std::vector<Function>{
      {"AllReduce", true, false, true, true,
       [](const Plain& p) { return ncclAllReduce(p.in, p.out, p.count, TYPE, OP, p.comm, nullptr); }},
      {"Reduce", true, true, true, false,
       [](const Plain& p) { return ncclReduce(p.in, p.out, p.count, TYPE, OP, p.root, p.comm, nullptr); }},
      {"Broadcast", false, true, false, true,
       [](const Plain& p) { return ncclBroadcast(p.in, p.out, p.count, TYPE, p.root, p.comm, nullptr); }},
      {"ReduceScatter", true, false, true, true,
       [](const Plain& p) { return ncclReduceScatter(p.in, p.out, p.count, TYPE, OP, p.comm, nullptr); }},
      {"AllGather", false, false, true, true,
       [](const Plain& p) { return ncclAllGather(p.in, p.out, p.count, TYPE, p.comm, nullptr); }},
      {"AlltoAll", false, false, true, true,
       [](const Plain& p) { return ncclAlltoAll(p.in, p.out, p.count, TYPE, p.comm, nullptr); }},
      {"AllToAll", false, false, true, true,
       [](const Plain& p) { return ncclAllToAll(p.in, p.out, p.count, TYPE, p.comm, nullptr); }},
      {"Gather", false, true, true, false,
       [](const Plain& p) { return ncclGather(p.in, p.out, p.count, TYPE, p.root, p.comm, nullptr); }},
      {"Scatter", false, true, false, true,
       [](const Plain& p) { return ncclScatter(p.in, p.out, p.count, TYPE, p.root, p.comm, nullptr); }},
      {"Send", false, true, true, false,
       [](const Plain& p) { return ncclSend(p.in, p.count, TYPE, p.root, p.comm, nullptr); }},
      {"Recv", false, true, false, true,
       [](const Plain& p) { return ncclRecv(p.out, p.count, TYPE, p.root, p.comm, nullptr); }},
      {"AllReduceConfig", true, false, true, true,
       [](const Plain& p) { return ncclAllReduceConfig(p.in, p.out, p.count, TYPE, OP, p.comm, nullptr, nullptr); }},
      {"ReduceConfig", true, true, true, false,
       [](const Plain& p) {
         return ncclReduceConfig(p.in, p.out, p.count, TYPE, OP, p.root, p.comm, nullptr, nullptr);
       }},
  };
  return *all;
}

// Runs a call inside a group that is then dropped, so that a call which passes the checks does not wait for a peer.
ncclResult_t check_only(const Function& function, const Plain& plain) {
  ncclGroupStart();
  const ncclResult_t result = function.call(plain);
  ncclSimInfo_t info = NCCL_SIM_INFO_INITIALIZER;
  ncclGroupSimulateEnd(&info);
  return result;
}

TEST_F(Arguments, EveryCollectiveRefusesWrongArguments) {
  for (const Function& function : functions()) {
    SCOPED_TRACE(function.name);
    const Plain good{in, out, 2, ncclFloat32, ncclSum, 0, comms[0]};
    EXPECT_EQ(check_only(function, good), ncclSuccess) << ncclGetLastError(nullptr);
    const auto refused = [&](const char* what, const std::function<void(Plain&)>& change) {
      Plain plain = good;
      change(plain);
      EXPECT_EQ(check_only(function, plain), ncclInvalidArgument) << what;
      EXPECT_STRNE(ncclGetLastError(nullptr), "") << what;
    };
    refused("null communicator", [](Plain& p) { p.comm = nullptr; });
    for (const int type : {-1, 12, 15, 99}) refused("type", [type](Plain& p) { p.type = type; });
    if (function.rooted)
      for (const int root : {-1, kRanks, 1 << 30}) refused("root", [root](Plain& p) { p.root = root; });
    if (function.reduces)
      for (const int op : {-1, 5, 17, 0x7fffffff}) refused("operation", [op](Plain& p) { p.op = op; });
    refused("a count beyond the address space", [](Plain& p) { p.count = SIZE_MAX / 2; });
  }
}

TEST_F(Arguments, ABufferMayBeNullOnlyWhereItIsNotUsed) {
  for (const Function& function : functions()) {
    SCOPED_TRACE(function.name);
    const bool sends = std::strcmp(function.name, "Send") == 0, receives = std::strcmp(function.name, "Recv") == 0;
    for (const int root : {0, 1}) {  // the caller is rank 0
      const bool off_root = function.rooted && root != 0;
      const Plain no_in{nullptr, out, 2, ncclFloat32, ncclSum, root, comms[0]};
      const Plain no_out{in, nullptr, 2, ncclFloat32, ncclSum, root, comms[0]};
      const bool reads = !receives && (!off_root || function.reads_off_root);
      const bool writes = !sends && (!off_root || function.writes_off_root);
      EXPECT_EQ(check_only(function, no_in), reads ? ncclInvalidArgument : ncclSuccess) << "send buffer, root " << root;
      EXPECT_EQ(check_only(function, no_out), writes ? ncclInvalidArgument : ncclSuccess)
          << "recv buffer, root " << root;
      const Plain nothing{nullptr, nullptr, 0, ncclFloat32, ncclSum, root, comms[0]};
      EXPECT_EQ(check_only(function, nothing), ncclSuccess) << "count 0";
    }
  }
}

TEST_F(Arguments, OurHandlesDoNotLookLikeNccls) {
  std::uint64_t first = 0;
  std::memcpy(&first, comms[0], sizeof(first));
  EXPECT_NE(first, 0x0280028002800280u);
}

TEST_F(Arguments, NullWhereAResultIsNeeded) {
  const ncclUniqueId id{};
  EXPECT_EQ(ncclGetVersion(nullptr), ncclInvalidArgument);
  EXPECT_EQ(ncclGetUniqueId(nullptr), ncclInvalidArgument);
  EXPECT_EQ(ncclCommInitRank(nullptr, 1, id, 0), ncclInvalidArgument);
  EXPECT_EQ(ncclCommInitAll(nullptr, 1, nullptr), ncclInvalidArgument);
  EXPECT_EQ(ncclCommSplit(comms[0], 0, 0, nullptr, nullptr), ncclInvalidArgument);
  EXPECT_EQ(ncclCommGetAsyncError(comms[0], nullptr), ncclInvalidArgument);
  EXPECT_EQ(ncclCommCount(comms[0], nullptr), ncclInvalidArgument);
  EXPECT_EQ(ncclCommCuDevice(comms[0], nullptr), ncclInvalidArgument);
  EXPECT_EQ(ncclCommUserRank(comms[0], nullptr), ncclInvalidArgument);
  EXPECT_EQ(ncclCommQueryProperties(comms[0], nullptr), ncclInvalidArgument);
  EXPECT_EQ(ncclMemAlloc(nullptr, 8), ncclInvalidArgument);
  EXPECT_EQ(ncclGroupSimulateEnd(nullptr), ncclInvalidArgument);
}

TEST_F(Arguments, RanksOutOfRangeAreRefusedByInitAndShrink) {
  ncclUniqueId id;
  ASSERT_EQ(ncclGetUniqueId(&id), ncclSuccess);
  ncclComm_t comm = comms[0];
  for (const auto& [ranks, rank] : {std::pair{0, 0}, {-1, 0}, {2, 2}, {2, -1}}) {
    EXPECT_EQ(ncclCommInitRank(&comm, ranks, id, rank), ncclInvalidArgument) << rank << " of " << ranks;
    EXPECT_EQ(comm, nullptr);
  }
  EXPECT_EQ(ncclCommInitRankScalable(&comm, 1, 0, 0, &id, nullptr), ncclInvalidArgument);
  EXPECT_EQ(ncclCommInitRankScalable(&comm, 1, 0, 1, nullptr, nullptr), ncclInvalidArgument);
  EXPECT_EQ(ncclCommInitAll(&comm, -1, nullptr), ncclInvalidArgument);
  for (int wrong : {-1, kRanks, 0})
    EXPECT_EQ(ncclCommShrink(comms[0], &wrong, 1, &comm, nullptr, 0), ncclInvalidArgument) << wrong;
  int other = 1;
  EXPECT_EQ(ncclCommShrink(comms[0], &other, 0, &comm, nullptr, 0), ncclInvalidArgument);
  EXPECT_EQ(ncclCommShrink(comms[0], &other, 1, &comm, nullptr, 2), ncclInvalidArgument);
  EXPECT_EQ(ncclCommSplit(comms[0], -2, 0, &comm, nullptr), ncclInvalidArgument);
  EXPECT_EQ(ncclCommRevoke(comms[0], 1), ncclInvalidArgument);
}

TEST_F(Arguments, AWrongConfigIsRefused) {
  ncclUniqueId id;
  ASSERT_EQ(ncclGetUniqueId(&id), ncclSuccess);
  ncclComm_t comm = nullptr;
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.magic = 1;
  EXPECT_EQ(ncclCommInitRankConfig(&comm, 1, id, 0, &config), ncclInvalidArgument);
  ncclConfig_t range = NCCL_CONFIG_INITIALIZER;
  range.blocking = 7;
  EXPECT_EQ(ncclCommInitRankConfig(&comm, 1, id, 0, &range), ncclInvalidArgument);
  EXPECT_NE(std::string(ncclGetLastError(nullptr)).find("blocking"), std::string::npos);
  ncclCollConfig_t hints = NCCL_COLLCONFIG_INITIALIZER;
  hints.algSelection = "no_such_algorithm";
  EXPECT_EQ(ncclAllReduceConfig(in, out, 1, ncclFloat32, ncclSum, comms[0], nullptr, &hints), ncclInvalidArgument);
}

TEST_F(Arguments, AnErrorInsideAGroupIsTheGroupsAndThenForgotten) {
  ASSERT_EQ(ncclGroupStart(), ncclSuccess);
  EXPECT_EQ(ncclAllReduce(in, out, 1, as<ncclDataType_t>(99), ncclSum, comms[0], nullptr), ncclInvalidArgument);
  ASSERT_EQ(ncclGroupStart(), ncclSuccess);
  EXPECT_EQ(ncclGroupEnd(), ncclSuccess);
  EXPECT_EQ(ncclGroupEnd(), ncclInvalidArgument);
  EXPECT_EQ(ncclGroupEnd(), ncclInvalidUsage) << "the group was open still";
  ASSERT_EQ(ncclGroupStart(), ncclSuccess);
  EXPECT_EQ(ncclGroupEnd(), ncclSuccess);
}

// As a caller of some version passes it: its size, and garbage where the answer goes.
ncclCommProperties_t garbage_of_size(std::size_t size) {
  const ncclCommProperties_t header = NCCL_COMM_PROPERTIES_INITIALIZER;
  ncclCommProperties_t properties;
  std::memset(&properties, 0x5a, sizeof(properties));
  std::memcpy(&properties, &header, offsetof(ncclCommProperties_t, rank));
  properties.size = size;
  return properties;
}

TEST_F(Arguments, PropertiesAreAllFilled) {
  ncclCommProperties_t properties = garbage_of_size(sizeof(ncclCommProperties_t));
  ASSERT_EQ(ncclCommQueryProperties(comms[1], &properties), ncclSuccess);
  EXPECT_EQ(properties.rank, 1);
  EXPECT_EQ(properties.nRanks, kRanks);
  EXPECT_EQ(properties.cudaDev, 1);
  EXPECT_EQ(properties.nvmlDev, 1);
  EXPECT_EQ(raw_byte(properties.deviceApiSupport), 0);
  EXPECT_EQ(raw_byte(properties.multimemSupport), 0);
  EXPECT_EQ(properties.ginType, NCCL_GIN_TYPE_NONE);
  EXPECT_EQ(properties.nLsaTeams, kRanks);
  EXPECT_EQ(raw_byte(properties.hostRmaSupport), 0);
  EXPECT_EQ(properties.railedGinType, NCCL_GIN_TYPE_NONE);
  EXPECT_EQ(properties.ginMinStride, 0);
  EXPECT_EQ(properties.ginConnectionType, NCCL_GIN_CONNECTION_NONE);
  for (const bool& support : properties.ginSupport) EXPECT_EQ(raw_byte(support), 0);
  EXPECT_EQ(properties.devCommRuntimeVersionSize, sizeof(ncclDevComm_t));
  ncclCommProperties_t other = garbage_of_size(sizeof(ncclCommProperties_t));
  ASSERT_EQ(ncclCommQueryProperties(comms[0], &other), ncclSuccess);
  EXPECT_EQ(properties.commHash, other.commHash);
  EXPECT_NE(properties.commHash, 0u);
}

// The sizes of 2.29.2, 2.29.7 and 2.31.
TEST_F(Arguments, PropertiesAreWrittenUpToTheCallersSize) {
  for (const std::size_t size : {std::size_t{40}, std::size_t{56}, sizeof(ncclCommProperties_t)}) {
    ncclCommProperties_t properties = garbage_of_size(size);
    const ncclCommProperties_t before = properties;
    ASSERT_EQ(ncclCommQueryProperties(comms[1], &properties), ncclSuccess);
    EXPECT_EQ(properties.size, size);
    const auto* const bytes = reinterpret_cast<const unsigned char*>(&properties);
    EXPECT_EQ(std::memcmp(bytes + size, reinterpret_cast<const unsigned char*>(&before) + size, sizeof(before) - size),
              0);
    EXPECT_EQ(properties.ginType, NCCL_GIN_TYPE_NONE) << "the last field of the oldest version";
  }
  ncclCommProperties_t small = NCCL_COMM_PROPERTIES_INITIALIZER;
  small.size = offsetof(ncclCommProperties_t, nRanks);
  small.nRanks = -7;
  ASSERT_EQ(ncclCommQueryProperties(comms[1], &small), ncclSuccess);
  EXPECT_EQ(small.rank, 1);
  EXPECT_EQ(small.nRanks, -7);
  small.magic = 0;
  EXPECT_EQ(ncclCommQueryProperties(comms[1], &small), ncclInvalidArgument);
}

TEST_F(Arguments, UnsupportedCallsSayWhatToDoInstead) {
  std::uint64_t bytes;
  void* pointer;
  ncclComm_t child = comms[0];
  ncclUniqueId id;
  ncclDevComm_t device;
  auto window = reinterpret_cast<ncclWindow_t>(in);
  const auto refused = [](ncclResult_t result, const char* name) {
    EXPECT_EQ(result, ncclInvalidUsage) << name;
    EXPECT_EQ(std::string(ncclGetLastError(nullptr)).rfind(name, 0), 0u) << ncclGetLastError(nullptr);
  };
  refused(ncclCommGrow(comms[0], 3, nullptr, -1, &child, nullptr), "ncclCommGrow");
  EXPECT_EQ(child, nullptr);
  refused(ncclCommGetUniqueId(comms[0], &id), "ncclCommGetUniqueId");
  refused(ncclCommSuspend(comms[0], NCCL_SUSPEND_MEM), "ncclCommSuspend");
  refused(ncclCommResume(comms[0]), "ncclCommResume");
  refused(ncclCommMemStats(comms[0], ncclStatGpuMemTotal, &bytes), "ncclCommMemStats");
  refused(ncclSignal(1, 0, 0, 0, comms[0], nullptr), "ncclSignal");
  refused(ncclWaitSignal(0, nullptr, comms[0], nullptr), "ncclWaitSignal");
  refused(ncclPutSignal(in, 1, ncclFloat32, 1, window, 0, 0, 0, 0, comms[0], nullptr), "ncclPutSignal");
  refused(ncclAllReduceWithBias(in, out, 1, ncclFloat32, ncclSum, comms[0], nullptr, in), "ncclAllReduceWithBias");
  refused(ncclDevCommCreate(comms[0], nullptr, &device), "ncclDevCommCreate");
  refused(ncclDevCommDestroy(comms[0], &device), "ncclDevCommDestroy");
  refused(ncclGetPeerDevicePointer(window, 0, 1, &pointer), "ncclGetPeerDevicePointer");
  refused(ncclLLA2ACreateRequirement(1, 1, nullptr, nullptr), "ncclLLA2ACreateRequirement");
  refused(mscclUnloadAlgo(0), "mscclUnloadAlgo");
  const ncclTeam_t world = ncclTeamWorld(comms[1]);
  EXPECT_EQ(world.nRanks, kRanks);
  EXPECT_EQ(world.rank, 1);
  EXPECT_EQ(ncclTeamRankToWorld(comms[1], world, 0), 0);
  EXPECT_EQ(ncclTeamRankToWorld(comms[1], world, kRanks), -1);
}

TEST_F(Arguments, AlltoAllvChecksItsArrays) {
  const std::size_t none[kRanks] = {0, 0}, one[kRanks] = {1, 1}, apart[kRanks] = {0, 1}, huge[kRanks] = {SIZE_MAX, 0};
  const auto call = [&](const void* send, const std::size_t* counts, const std::size_t* offsets, void* receive) {
    ncclGroupStart();
    const ncclResult_t result =
        ncclAlltoAllv(send, counts, offsets, receive, counts, offsets, ncclFloat32, comms[0], nullptr);
    ncclSimInfo_t info = NCCL_SIM_INFO_INITIALIZER;
    ncclGroupSimulateEnd(&info);
    return result;
  };
  EXPECT_EQ(call(in, one, apart, out), ncclSuccess) << ncclGetLastError(nullptr);
  EXPECT_EQ(call(nullptr, none, apart, nullptr), ncclSuccess);
  EXPECT_EQ(call(nullptr, one, apart, out), ncclInvalidArgument);
  EXPECT_EQ(call(in, one, apart, nullptr), ncclInvalidArgument);
  EXPECT_EQ(call(in, nullptr, apart, out), ncclInvalidArgument);
  EXPECT_EQ(call(in, one, nullptr, out), ncclInvalidArgument);
  EXPECT_EQ(call(in, huge, apart, out), ncclInvalidArgument);
}

TEST_F(Arguments, OperationsAreCheckedWhenMadeUsedAndDestroyed) {
  float scalar = 2;
  ncclRedOp_t op;
  EXPECT_EQ(ncclRedOpCreatePreMulSum(&op, &scalar, as<ncclDataType_t>(12), ncclScalarHostImmediate, comms[0]),
            ncclInvalidArgument);
  EXPECT_EQ(ncclRedOpCreatePreMulSum(&op, &scalar, ncclFloat32, as<ncclScalarResidence_t>(2), comms[0]),
            ncclInvalidArgument);
  EXPECT_EQ(ncclRedOpCreatePreMulSum(&op, nullptr, ncclFloat32, ncclScalarHostImmediate, comms[0]),
            ncclInvalidArgument);
  ASSERT_EQ(ncclRedOpCreatePreMulSum(&op, &scalar, ncclFloat32, ncclScalarHostImmediate, comms[0]), ncclSuccess);
  int handle;
  std::memcpy(&handle, &op, sizeof(handle));
  EXPECT_GE(handle, ncclNumOps);
  EXPECT_EQ(ncclAllReduce(in, out, 1, ncclInt32, op, comms[0], nullptr), ncclInvalidArgument) << "another type";
  EXPECT_EQ(ncclRedOpDestroy(op, comms[0]), ncclSuccess);
  EXPECT_EQ(ncclRedOpDestroy(op, comms[0]), ncclInvalidArgument);
  EXPECT_EQ(ncclRedOpDestroy(ncclSum, comms[0]), ncclInvalidArgument);
}

}  // namespace
