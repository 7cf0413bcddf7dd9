// Devices of two vendors in one process and one communicator: NVIDIA's stand-in and AMD's, each with its library.

#include <dlfcn.h>

#include <cstdlib>
#include <string>

#include "tests/vendors/cases.h"
#include "tests/vendors/ccl/face.h"
#include "tests/vendors/second.h"

namespace {

using rig::amd;
using rig::as;
using rig::Buffer;
using rig::Rank;

TEST(Vendors, EveryCollectiveOverDevicesOfTwoVendors) {
  const auto all_cases = rig::cases<float>();
  rig::run({0, amd(0), 1, amd(1)}, [&](Rank& rank) {
    unsigned seed = 1;
    for (std::size_t count : {1, 1000, 300001})
      for (const auto& one_case : all_cases) rig::check_case(rank, one_case, count, seed++);
  });
}

// Of the library that the setting gives for a vendor.
const standin_ccl::Counters& counters(const char* name) {
  const std::string files = rig::setting("AMALGAM_VENDOR_LIBRARY");
  const std::size_t begin = files.find(std::string(name) + "=") + std::strlen(name) + 1, end = files.find(',', begin);
  void* library = ::dlopen(files.substr(begin, end == files.npos ? end : end - begin).c_str(), RTLD_LAZY | RTLD_NOLOAD);
  EXPECT_NE(library, nullptr) << files;
  return *reinterpret_cast<const standin_ccl::Counters* (*)()>(::dlsym(library, "standin_ccl_counters"))();
}

TEST(Vendors, EachVendorsRanksAloneAreItsLibrarys) {
  rig::run({0, amd(0), 1, amd(1)}, [](Rank& rank) {
    ncclComm_t child = nullptr;
    ASSERT_EQ(ncclCommSplit(rank.comm, rank.rank % 2, 0, &child, nullptr), ncclSuccess) << ncclGetLastError(nullptr);
    const std::int32_t one = 1;
    Buffer data(rank, sizeof(one));
    data.write(&one, rank.stream);
    for (ncclComm_t comm : {child, rank.comm, child})
      ASSERT_EQ(ncclAllReduce(data.at(), data.at(), 1, ncclInt32, ncclSum, comm, rank.stream), ncclSuccess);
    EXPECT_EQ(as<std::int32_t>(data.read(rank.stream))[0], 16);
    EXPECT_EQ(ncclCommDestroy(child), ncclSuccess);
  });
  constexpr auto kAllReduce = static_cast<std::size_t>(standin_ccl::Kind::kAllReduce);
  EXPECT_EQ(counters("nvidia").calls[kAllReduce].load(), 4U);
  EXPECT_EQ(counters("amd").calls[kAllReduce].load(), 4U);
}

}  // namespace
