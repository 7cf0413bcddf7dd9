// A vendor's device table against its stand-in: the product's view of the runtime, found as a program's would be. Built
// for every vendor.

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "base/device.h"
#include "tests/vendors/nvidia/face.h"

namespace {

using amalgam::Result;
using namespace amalgam::device;

#ifdef STANDIN_STREAM_VALUES
constexpr bool kHasValues = true;
#else
constexpr bool kHasValues = false;
#endif

const Runtime& runtime() {
  static const Runtime* found = [] {
    EXPECT_EQ(cudaSetDevice(1), face::kSuccess);
    const Result<Active> active = active_runtime();
    EXPECT_TRUE(active.ok()) << active.status().message();
    EXPECT_EQ(active->device, 1);
    return active->runtime;
  }();
  return *found;
}

TEST(Runtime, IsTheVendors) {
  EXPECT_EQ(runtime().vendor(), face::kVendor);
  EXPECT_EQ(runtime().version(), face::kVersion);
  EXPECT_EQ(*runtime().model(1), face::kDeviceName);
  EXPECT_NE(runtime().path().find(std::string("/tests/vendors/") + face::kVendor + "/lib/"), std::string::npos)
      << runtime().path();
}

TEST(Runtime, CanWhatTheStandInCan) {
  EXPECT_EQ(runtime().capabilities().write_value, kHasValues);
  EXPECT_EQ(runtime().capabilities().wait_value, kHasValues);
  EXPECT_TRUE(runtime().capabilities().host_function);
}

TEST(Runtime, TellsMemoriesApart) {
  const Visit visit(runtime(), 1);
  Result<void*> memory = runtime().allocate(100), pinned = runtime().allocate_pinned(100);
  ASSERT_TRUE(memory.ok() && pinned.ok());
  std::vector<char> plain(100);
  const Result<Place> inside = runtime().classify(static_cast<char*>(*memory) + 99);
  EXPECT_EQ(inside->memory, Memory::kDevice);
  EXPECT_EQ(inside->device, 1);
  EXPECT_EQ(runtime().classify(*pinned)->memory, Memory::kPinned);
  EXPECT_EQ(runtime().classify(plain.data())->memory, Memory::kHost);
  EXPECT_EQ(cudaPeekAtLastError(), face::kSuccess) << "the user must not find our error";
  EXPECT_TRUE(runtime().release(*memory).ok());
  EXPECT_TRUE(runtime().release_pinned(*pinned).ok());
}

TEST(Runtime, CopiesInTheOrderOfStreamsAndEvents) {
  const Visit visit(runtime(), 1);
  Result<Stream> in = runtime().create_stream(), out = runtime().create_stream();
  Result<Event> event = runtime().create_event();
  Result<void*> memory = runtime().allocate(4), pinned = runtime().allocate_pinned(8);
  ASSERT_TRUE(in.ok() && out.ok() && event.ok() && memory.ok() && pinned.ok());
  int* words = static_cast<int*>(*pinned);
  words[0] = 4711;
  EXPECT_TRUE(runtime().copy(*memory, &words[0], 4, Direction::kToDevice, *in).ok());
  EXPECT_TRUE(runtime().record(*event, *in).ok());
  EXPECT_TRUE(runtime().wait_event(*out, *event).ok());
  EXPECT_TRUE(runtime().copy(&words[1], *memory, 4, Direction::kToHost, *out).ok());
  EXPECT_TRUE(runtime().synchronize(*out).ok());
  EXPECT_EQ(words[1], 4711);
  EXPECT_TRUE(*runtime().done(*event));
  for (Stream stream : {*in, *out}) EXPECT_TRUE(runtime().destroy_stream(stream).ok());
  EXPECT_TRUE(runtime().destroy_event(*event).ok());
  EXPECT_TRUE(runtime().release(*memory).ok());
  EXPECT_TRUE(runtime().release_pinned(*pinned).ok());
}

// By its own means: a word, or a host function where there is none.
TEST(Runtime, AStreamTellsTheHostAndWaitsForIt) {
  const Visit visit(runtime(), 1);
  Result<Stream> stream = runtime().create_stream();
  Result<void*> pinned = runtime().allocate_pinned(16);
  auto* words = static_cast<std::uint64_t*>(*pinned);
  std::memset(words, 0, 16);
  if (kHasValues) {
    EXPECT_TRUE(runtime().wait_value(*stream, &words[0], 5).ok());
    EXPECT_TRUE(runtime().write_value(*stream, &words[1], 7).ok());
    __atomic_store_n(&words[0], 6, __ATOMIC_RELEASE);
  } else {
    EXPECT_FALSE(runtime().wait_value(*stream, &words[0], 5).ok());
    const auto function = [](void* word) { *static_cast<std::uint64_t*>(word) = 7; };
    EXPECT_TRUE(runtime().call_host(*stream, function, &words[1]).ok());
  }
  EXPECT_TRUE(runtime().synchronize(*stream).ok());
  EXPECT_EQ(words[1], 7U);
  EXPECT_TRUE(runtime().destroy_stream(*stream).ok());
  EXPECT_TRUE(runtime().release_pinned(*pinned).ok());
}

}  // namespace
