// One rank as a process, on a device of the runtime in the file RUNTIME, or nowhere. Rank 0 prints the
// unique id, the others read it (support/processes.h); at the end it tells what its process has mapped.
//
//   process_rank VENDOR RUNTIME PREFIX RANK RANKS DEVICE     RUNTIME "-": a CPU rank

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <set>
#include <string>

#include "tests/vendors/cases.h"

namespace {

using rig::as;
using rig::Buffer;
using rig::Rank;

// From the command line.
std::string vendor;
int number, ranks, device;

ncclUniqueId exchange_id() {
  constexpr const char* kDigits = "0123456789abcdef";
  ncclUniqueId id;
  std::string text;
  if (number == 0) {
    EXPECT_EQ(ncclGetUniqueId(&id), ncclSuccess) << ncclGetLastError(nullptr);
    for (unsigned char byte : id.internal) text += {kDigits[byte >> 4], kDigits[byte & 15]};
    std::printf("id %s\n", text.c_str());
    std::fflush(stdout);
    return id;
  }
  std::getline(std::cin, text);
  for (std::size_t i = 0; i < sizeof(id.internal); ++i)
    id.internal[i] = static_cast<char>(std::stoi(text.substr(std::strlen("id ") + 2 * i, 2), nullptr, 16));
  return id;
}

// The stand-ins of which something is mapped, by their folders.
std::set<std::string> mapped_vendors() {
  constexpr std::string_view kFolder = "/tests/vendors/";
  std::set<std::string> vendors;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const std::size_t at = line.find(kFolder);
    const std::string rest = at == line.npos ? "" : line.substr(at + kFolder.size());
    if (rest.find(".so") != rest.npos) vendors.insert(rest.substr(0, rest.find('/')));
  }
  return vendors;
}

// All ranks of a vendor: their communicator is its library's.
void check_island(const Rank& rank) {
  const int color = static_cast<int>(std::hash<std::string>()(vendor) & 0xffff);
  ncclComm_t child = nullptr;
  ASSERT_EQ(ncclCommSplit(rank.comm, color, -rank.rank, &child, nullptr), ncclSuccess) << ncclGetLastError(nullptr);
  const std::int32_t mine = 1 << rank.rank;
  Buffer data(rank, sizeof(mine)), all(rank, sizeof(mine));
  data.write(&mine, rank.stream);
  ASSERT_EQ(ncclAllReduce(data.at(), all.at(), 1, ncclInt32, ncclSum, child, rank.stream), ncclSuccess)
      << ncclGetLastError(nullptr);
  std::printf("island %s %d\n", vendor.c_str(), as<std::int32_t>(all.read(rank.stream))[0]);
  EXPECT_EQ(ncclCommDestroy(child), ncclSuccess);
}

TEST(Process, EveryCollective) {
  const auto integers = rig::cases<std::int32_t>();
  const auto floats = rig::cases<float>();
  rig::live({number, ranks, rig::Place(device), nullptr, nullptr}, exchange_id(), [&](Rank& rank) {
    unsigned seed = 1;
    for (std::size_t count : {1, 1000, 0})
      for (const auto& one_case : integers) rig::check_case(rank, one_case, count, seed++);
    for (std::size_t count : {17, 300001})
      for (const auto& one_case : floats) rig::check_case(rank, one_case, count, seed++);
    rig::check_messages(rank, 50001);
    rig::check_unequal_blocks(rank);
    check_island(rank);
  });
  for (const std::string& mapped : mapped_vendors()) std::printf("mapped %s\n", mapped.c_str());
  std::fflush(stdout);
}

// Rank 1 stays away from the second call and is killed; the others' streams wait for it, with their libraries' kernels
// behind.
TEST(Process, LosesAPeer) {
  constexpr std::size_t kCount = 300001;
  const auto body = [&](Rank& rank) {
    const std::vector<float> ones(kCount, 1);
    Buffer data(rank, kCount * sizeof(float));
    data.write(ones.data(), rank.stream);
    const auto sum = [&] {
      return ncclAllReduce(data.at(), data.at(), kCount, ncclFloat, ncclSum, rank.comm, rank.stream);
    };
    ASSERT_EQ(sum(), ncclSuccess);
    EXPECT_EQ(as<float>(data.read(rank.stream))[kCount - 1], static_cast<float>(rank.ranks));
    std::printf("working\n");
    std::fflush(stdout);
    std::string never;
    if (rank.rank == 1) std::getline(std::cin, never);  // killed here
    const ncclResult_t issued = sum();
    EXPECT_TRUE(issued == (rank.on_device() ? ncclSuccess : ncclRemoteError) || issued == ncclRemoteError) << issued;
    ncclResult_t state = ncclSuccess;
    while (state == ncclSuccess || state == ncclInProgress)
      ASSERT_EQ(ncclCommGetAsyncError(rank.comm, &state), ncclSuccess);
    EXPECT_EQ(state, ncclRemoteError);
    EXPECT_EQ(ncclCommAbort(rank.comm), ncclSuccess);
    if (rank.on_device()) {
      EXPECT_EQ(rank.place.runtime->synchronize(rank.stream), face::kSuccess);
    }
    std::printf("survived\n");
    std::fflush(stdout);
  };
  rig::live({number, ranks, rig::Place(device), nullptr, nullptr}, exchange_id(), body, false);
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc != 7) return 2;
  vendor = argv[1];
  number = std::atoi(argv[4]);
  ranks = std::atoi(argv[5]);
  device = vendor == "host" ? rig::kCpu : std::atoi(argv[6]);
  if (device != rig::kCpu) {
    setenv("RIG_RUNTIME", argv[2], 1);
    setenv("RIG_PREFIX", argv[3], 1);
  }
  return RUN_ALL_TESTS();
}
