// The stand-in of NCCL alone: whom it lets in, how its communicators end, and what it refuses.

#include <arpa/inet.h>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>

#include "tests/vendors/cases.h"
#include "tests/vendors/ccl/face.h"

namespace {

using rig::as;
using rig::Buffer;
using rig::Rank;

TEST(Ccl, ARevokedCommunicatorRefusesAndIsShrunk) {
  rig::run({0, 1, 2}, [](Rank& rank) {
    const std::int32_t one = 1;
    Buffer data(rank, sizeof(one));
    data.write(&one, rank.stream);
    if (rank.rank == 2) return;  // it was lost
    ASSERT_EQ(ncclAllReduce(data.at(), data.at(), 1, ncclInt32, ncclSum, rank.comm, rank.stream), ncclSuccess);
    ASSERT_EQ(ncclCommRevoke(rank.comm, 0), ncclSuccess);
    ASSERT_EQ(cudaStreamSynchronize(rank.stream), face::kSuccess);
    EXPECT_EQ(ncclAllReduce(data.at(), data.at(), 1, ncclInt32, ncclSum, rank.comm, rank.stream), ncclInvalidUsage);
    ncclComm_t child = nullptr;
    int lost = 2;
    ASSERT_EQ(ncclCommShrink(rank.comm, &lost, 1, &child, nullptr, NCCL_SHRINK_DEFAULT), ncclSuccess);
    ASSERT_EQ(ncclAllReduce(data.at(), data.at(), 1, ncclInt32, ncclSum, child, rank.stream), ncclSuccess);
    EXPECT_EQ(as<std::int32_t>(data.read(rank.stream))[0], 2);
    EXPECT_EQ(ncclCommDestroy(child), ncclSuccess);
  });
}

TEST(Ccl, ASplitOrdersByKeyAndLeavesOutWhoHasNoColor) {
  rig::run({0, 1, 2, 3}, [](Rank& rank) {
    for (int round = 0; round < 3; ++round) {
      ncclComm_t child = nullptr;
      ASSERT_EQ(ncclCommSplit(rank.comm, rank.rank == 3 ? NCCL_SPLIT_NOCOLOR : 1, -rank.rank, &child, nullptr),
                ncclSuccess);
      ASSERT_EQ(child == nullptr, rank.rank == 3);
      if (child == nullptr) continue;
      int position = -1;
      EXPECT_EQ(ncclCommUserRank(child, &position), ncclSuccess);
      EXPECT_EQ(position, 2 - rank.rank);
      EXPECT_EQ(ncclCommDestroy(child), ncclSuccess);
    }
  });
}

TEST(Ccl, OneThreadDrivesAllRanks) {
  const int devices[] = {2, 0, 1};
  ncclComm_t comms[3];
  ASSERT_EQ(ncclCommInitAll(comms, 3, devices), ncclSuccess);
  std::vector<std::unique_ptr<Buffer>> data;
  for (int r = 0; r < 3; ++r) {
    int device = -1;
    ASSERT_EQ(ncclCommCuDevice(comms[r], &device), ncclSuccess);
    EXPECT_EQ(device, devices[r]);
    ASSERT_EQ(cudaSetDevice(device), face::kSuccess);
    data.push_back(std::make_unique<Buffer>(Rank{r, 3, rig::Place(device), comms[r], nullptr}, sizeof(int)));
    data.back()->write(&r, nullptr);
  }
  ASSERT_EQ(ncclGroupStart(), ncclSuccess);
  for (std::size_t r = 0; r < 3; ++r)
    ASSERT_EQ(ncclAllReduce(data[r]->at(), data[r]->at(), 1, ncclInt32, ncclSum, comms[r], nullptr), ncclSuccess);
  ASSERT_EQ(ncclGroupEnd(), ncclSuccess);
  for (std::size_t r = 0; r < 3; ++r) {
    ASSERT_EQ(cudaSetDevice(devices[r]), face::kSuccess);
    EXPECT_EQ(as<int>(data[r]->read(nullptr))[0], 3);
    EXPECT_EQ(ncclCommDestroy(comms[r]), ncclSuccess);
  }
}

TEST(Ccl, WrongArgumentsAreRefused) {
  rig::run({0}, [](Rank& rank) {
    Buffer data(rank, 64);
    const auto reduce = [&](int type, int op, ncclComm_t comm) {
      return ncclAllReduce(data.at(), data.at(), 1, static_cast<ncclDataType_t>(type), static_cast<ncclRedOp_t>(op),
                           comm, rank.stream);
    };
    EXPECT_EQ(reduce(ncclNumTypes, ncclSum, rank.comm), ncclInvalidArgument);
    EXPECT_EQ(reduce(-1, ncclSum, rank.comm), ncclInvalidArgument);
    EXPECT_EQ(reduce(ncclInt32, 77, rank.comm), ncclInvalidArgument);
    EXPECT_EQ(reduce(ncclInt32, ncclSum, nullptr), ncclInvalidArgument);
    std::uint64_t foreign[64] = {0x1234};
    EXPECT_EQ(reduce(ncclInt32, ncclSum, reinterpret_cast<ncclComm_t>(foreign)), ncclInvalidArgument);
    EXPECT_EQ(ncclBroadcast(data.at(), data.at(), 1, ncclInt32, 1, rank.comm, rank.stream), ncclInvalidArgument);
    EXPECT_EQ(ncclGroupEnd(), ncclInvalidUsage);
    ASSERT_EQ(ncclGroupStart(), ncclSuccess);
    EXPECT_EQ(reduce(ncclNumTypes, ncclSum, rank.comm), ncclInvalidArgument);
    EXPECT_EQ(ncclGroupEnd(), ncclInvalidArgument);  // it sticks
    ncclUniqueId unknown{};
    ncclComm_t comm = nullptr;
    EXPECT_EQ(ncclCommInitRank(&comm, 1, unknown, 0), ncclInvalidArgument);
    ncclUniqueId id;
    ASSERT_EQ(ncclGetUniqueId(&id), ncclSuccess);
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.magic = 1;
    EXPECT_EQ(ncclCommInitRankConfig(&comm, 1, id, 0, &config), ncclInvalidArgument);
    config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 2;
    EXPECT_EQ(ncclCommInitRankConfig(&comm, 1, id, 0, &config), ncclInvalidArgument);
  });
}

ncclResult_t join_from(int ranks, int rank, int device, const ncclUniqueId& id) {
  ncclComm_t comm = nullptr;
  EXPECT_EQ(cudaSetDevice(device), face::kSuccess);
  return ncclCommInitRank(&comm, ranks, id, rank);
}

TEST(Ccl, ADeviceThatIsThereTwiceIsRefusedOnAllRanks) {
  ncclUniqueId id;
  ASSERT_EQ(ncclGetUniqueId(&id), ncclSuccess);
  std::thread other([&] { EXPECT_EQ(join_from(2, 1, 0, id), ncclInvalidUsage); });
  EXPECT_EQ(join_from(2, 0, 0, id), ncclInvalidUsage);
  other.join();
  EXPECT_GT(standin_ccl_counters()->refused, 0U);
}

TEST(Ccl, AWindowIsAHandleThatIsGivenBackOnce) {
  rig::run({0, 1}, [](Rank& rank) {
    void* memory = nullptr;
    ncclWindow_t window = nullptr;
    ASSERT_EQ(ncclMemAlloc(&memory, 4096), ncclSuccess);
    ASSERT_EQ(ncclCommWindowRegister(rank.comm, memory, 4096, &window, NCCL_WIN_COLL_SYMMETRIC), ncclSuccess);
    EXPECT_NE(window, nullptr);
    EXPECT_EQ(ncclCommWindowDeregister(rank.comm, window), ncclSuccess);
    EXPECT_EQ(ncclCommWindowDeregister(rank.comm, window), ncclInvalidArgument);
    EXPECT_EQ(ncclMemFree(memory), ncclSuccess);
  });
}

// An address that a program leaves in the environment is bound by rank 0, so a library that hands communicators to this
// one has to take it away.
TEST(Ccl, RankZeroBindsTheAddressOfTheSetting) {
  const int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(taken, any, length), 0);
  ASSERT_EQ(listen(taken, 1), 0);
  ASSERT_EQ(getsockname(taken, any, &length), 0);
  ASSERT_EQ(setenv("NCCL_COMM_ID", ("127.0.0.1:" + std::to_string(ntohs(address.sin_port))).c_str(), 1), 0);
  ncclUniqueId id, again;
  ASSERT_EQ(ncclGetUniqueId(&id), ncclSuccess);
  ncclComm_t comm = nullptr;
  EXPECT_EQ(cudaSetDevice(0), face::kSuccess);
  EXPECT_EQ(ncclCommInitRank(&comm, 1, id, 0), ncclSystemError);
  EXPECT_EQ(comm, nullptr);
  close(taken);
  ASSERT_EQ(ncclGetUniqueId(&again), ncclSuccess);
  ASSERT_EQ(ncclCommInitRank(&comm, 1, again, 0), ncclSuccess);
  EXPECT_EQ(ncclCommDestroy(comm), ncclSuccess);
  ASSERT_EQ(unsetenv("NCCL_COMM_ID"), 0);
}

void reduce_host_memory() {
  rig::run({0}, [](Rank& rank) {
    float plain = 1;
    (void)ncclAllReduce(&plain, &plain, 1, ncclFloat, ncclSum, rank.comm, rank.stream);
  });
}

TEST(CclDeathTest, HostMemoryAndForeignMemoryEndTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(reduce_host_memory(), "memory that the device does not reach");
  EXPECT_DEATH(rig::run({0},
                        [](Rank& rank) {
                          void* foreign = nullptr;
                          (void)cudaSetDevice(1);
                          (void)cudaMalloc(&foreign, 4);
                          (void)cudaSetDevice(0);
                          (void)ncclAllReduce(foreign, foreign, 1, ncclFloat, ncclSum, rank.comm, rank.stream);
                        }),
               "memory of another device");
}

// Names of its own in its linkage table: the real 2.28.9 has 19, of which these exist here.
TEST(Ccl, ItsOwnCallsGoThroughTheLinkageTable) {
  Dl_info where;
  link_map* library = nullptr;
  void* extra = nullptr;
  ASSERT_NE(
      dladdr1(reinterpret_cast<void*>(dlsym(RTLD_DEFAULT, "standin_ccl_counters")), &where, &extra, RTLD_DL_LINKMAP),
      0);
  library = static_cast<link_map*>(extra);
  const ElfW(Rela)* slots = nullptr;
  const ElfW(Sym)* symbols = nullptr;
  const char* names = nullptr;
  std::size_t bytes = 0;
  for (const ElfW(Dyn)* entry = library->l_ld; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_JMPREL) slots = reinterpret_cast<const ElfW(Rela)*>(entry->d_un.d_ptr);
    if (entry->d_tag == DT_PLTRELSZ) bytes = entry->d_un.d_val;
    if (entry->d_tag == DT_SYMTAB) symbols = reinterpret_cast<const ElfW(Sym)*>(entry->d_un.d_ptr);
    if (entry->d_tag == DT_STRTAB) names = reinterpret_cast<const char*>(entry->d_un.d_ptr);
  }
  std::set<std::string> own;
  for (std::size_t i = 0; i < bytes / sizeof(*slots); ++i) {
    const ElfW(Sym)& symbol = symbols[ELF64_R_SYM(slots[i].r_info)];
    const std::string name = names + symbol.st_name;
    if (symbol.st_shndx != SHN_UNDEF && name.rfind("nccl", 0) == 0) own.insert(name);
  }
  EXPECT_EQ(own, (std::set<std::string>{"ncclBroadcast", "ncclCommDeregister", "ncclCommGetAsyncError",
                                        "ncclCommRegister", "ncclCommWindowDeregister", "ncclGetErrorString",
                                        "ncclGetUniqueId", "ncclGetVersion", "ncclMemAlloc", "ncclMemFree"}));
}

// A process of the next test.
TEST(CclProcess, Member) {
  const char* text = std::getenv("STANDIN_TEST_MEMBER");
  if (text == nullptr) GTEST_SKIP() << "started by CclProcesses only";
  Rank rank{text[0] - '0', 3, rig::Place(text[0] - '0'), nullptr, nullptr};
  ncclUniqueId id{};
  for (std::size_t i = 0; i < sizeof(id.internal); ++i)
    id.internal[i] = static_cast<char>(std::stoi(std::string(text + 1 + 2 * i, 2), nullptr, 16));
  ASSERT_EQ(cudaSetDevice(rank.place.device), face::kSuccess);
  ASSERT_EQ(cudaStreamCreateWithFlags(&rank.stream, 1), face::kSuccess);
  ASSERT_EQ(ncclCommInitRank(&rank.comm, rank.ranks, id, rank.rank), ncclSuccess) << ncclGetLastError(nullptr);
  unsigned seed = 1;
  for (const auto& one_case : rig::cases<float>()) rig::check_case(rank, one_case, 70001, seed++);
  ASSERT_EQ(ncclCommDestroy(rank.comm), ncclSuccess);
}

TEST(CclProcesses, RanksOfThreeProcessesAndTheirReports) {
  ncclUniqueId id;
  ASSERT_EQ(ncclGetUniqueId(&id), ncclSuccess);
  std::string digits;
  for (char byte : id.internal) {
    char text[3];
    std::snprintf(text, sizeof(text), "%02x", static_cast<unsigned char>(byte));
    digits += text;
  }
  const std::string report = testing::TempDir() + "ccl-report-" + std::to_string(getpid());
  ASSERT_EQ(setenv("STANDIN_CCL_REPORT", report.c_str(), 1), 0);
  std::vector<pid_t> members(3);
  for (int r = 0; r < 3; ++r) {
    ASSERT_EQ(setenv("STANDIN_TEST_MEMBER", (std::to_string(r) + digits).c_str(), 1), 0);
    std::string self = std::filesystem::read_symlink("/proc/self/exe"), filter = "--gtest_filter=CclProcess.Member";
    char* arguments[] = {self.data(), filter.data(), nullptr};
    ASSERT_EQ(posix_spawn(&members[static_cast<std::size_t>(r)], self.c_str(), nullptr, nullptr, arguments, environ),
              0);
  }
  ASSERT_EQ(unsetenv("STANDIN_TEST_MEMBER"), 0);
  ASSERT_EQ(unsetenv("STANDIN_CCL_REPORT"), 0);
  for (pid_t member : members) {
    int status = -1;
    ASSERT_EQ(waitpid(member, &status, 0), member);
    EXPECT_EQ(status, 0);
  }
  std::ifstream lines(report);
  int reports = 0;
  for (std::string line; std::getline(lines, line); ++reports)
    EXPECT_NE(line.find("\"allreduce\":4,"), std::string::npos) << line;
  EXPECT_EQ(reports, 3);
  unlink(report.c_str());
}

}  // namespace
