#include "base/host_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

namespace amalgam::host_memory {
namespace {

ConstBytes range(void* address, std::size_t bytes) { return {static_cast<std::byte*>(address), bytes}; }

TEST(HostMemory, IsZeroWholePagesAndFoundByAnyRangeInside) {
  void* memory = allocate(10000).take();
  auto* bytes = static_cast<std::byte*>(memory);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % 4096, 0u);
  for (std::size_t i = 0; i < 10000; ++i) ASSERT_EQ(bytes[i], std::byte{0});
  Region region;
  ASSERT_TRUE(find(range(bytes + 5000, 5000), &region));
  EXPECT_EQ(region.base, bytes);
  EXPECT_EQ(region.size, 12288u);
  EXPECT_TRUE(find(range(bytes, 12288), &region));
  EXPECT_FALSE(find(range(bytes, 12289), &region));
  EXPECT_FALSE(find(range(bytes + 12288, 1), &region));
  EXPECT_FALSE(find(range(bytes - 1, 2), &region));
  EXPECT_TRUE(release(memory).ok());
  EXPECT_FALSE(find(range(bytes, 1), &region));
}

TEST(HostMemory, RefusesToReleaseWhatItDidNotAllocate) {
  int local = 0;
  EXPECT_EQ(release(&local).code(), Code::kInvalidArgument);
  void* memory = allocate(1).take();
  EXPECT_EQ(release(static_cast<std::byte*>(memory) + 1).code(), Code::kInvalidArgument);
  EXPECT_TRUE(release(memory).ok());
  EXPECT_EQ(release(memory).code(), Code::kInvalidArgument);
}

TEST(HostMemory, RefusesAnImpossibleSize) { EXPECT_FALSE(allocate(SIZE_MAX - 5).ok()); }

TEST(HostMemory, FindsEachOfManyRegionsWhateverTheOrderOfReleases) {
  std::mt19937 random(1);
  std::vector<void*> all;
  for (int i = 0; i < 200; ++i) all.push_back(allocate(4096 * (1 + random() % 3)).take());
  std::shuffle(all.begin(), all.end(), random);
  while (!all.empty()) {
    Region region;
    for (void* memory : all) {
      ASSERT_TRUE(find(range(memory, 4096), &region));
      ASSERT_EQ(region.base, memory);
    }
    for (int i = 0; i < 40; ++i) {
      ASSERT_TRUE(release(all.back()).ok());
      EXPECT_FALSE(find(range(all.back(), 1), &region));
      all.pop_back();
    }
  }
}

TEST(HostMemory, StaysFoundOrMissedButNeverWrongWhileOthersAllocate) {
  void* mine = allocate(8192).take();
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) EXPECT_TRUE(release(allocate(4096).take()).ok());
  });
  int found = 0;
  for (int i = 0; i < 200000; ++i) {
    Region region;
    if (!find(range(mine, 8192), &region)) continue;
    ++found;
    ASSERT_EQ(region.base, mine);
    ASSERT_EQ(region.size, 8192u);
  }
  stop = true;
  other.join();
  EXPECT_GT(found, 0);
  EXPECT_TRUE(release(mine).ok());
}

}  // namespace
}  // namespace amalgam::host_memory
