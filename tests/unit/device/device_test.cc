// The CUDA-shaped runtimes: what the tables say against a fake of each shape. FAKE_RUNTIME names the fake's library and
// FAKE_VENDOR the vendor that must be found behind it; each shape is a process of its own, since file names collide.

#include "base/device.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "plugins/device/cuda_shaped/identity.h"
#include "plugins/device/tables/tables.h"

namespace amalgam::device {
namespace {

std::string vendor() { return std::getenv("FAKE_VENDOR"); }

class DeviceTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    EXPECT_EQ(active_runtime()->runtime, nullptr) << "nothing is mapped yet";
    library_ = ::dlopen(std::getenv("FAKE_RUNTIME"), RTLD_NOW | RTLD_GLOBAL);
    ASSERT_NE(library_, nullptr) << ::dlerror();
    call<void(int)>("fake_set_context")(1);
    const Result<Active> active = active_runtime();
    ASSERT_TRUE(active.ok()) << active.status().message();
    ASSERT_NE(active->runtime, nullptr);
    runtime_ = active->runtime;
  }

  template <typename Function>
  static Function* call(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(library_, name));
  }

  static inline void* library_ = nullptr;
  static inline const Runtime* runtime_ = nullptr;
};

TEST_F(DeviceTest, IsTheVendorWhoseDeviceItIs) { EXPECT_EQ(runtime_->vendor(), vendor()); }

TEST_F(DeviceTest, AThreadWithoutAContextIsACpuRank) {
  call<void(int)>("fake_set_context")(0);
  EXPECT_EQ(active_runtime()->runtime, nullptr);
  call<void(int)>("fake_set_context")(1);
  EXPECT_EQ(active_runtime()->runtime, runtime_) << "found again as the same object";
}

TEST_F(DeviceTest, TellsMemoriesApart) {
  ASSERT_TRUE(runtime_->set_device(1).ok());
  Result<void*> device = runtime_->allocate(100);
  Result<void*> pinned = runtime_->allocate_pinned(100);
  ASSERT_TRUE(device.ok() && pinned.ok());
  std::vector<char> host(100);
  const Result<Place> inside = runtime_->classify(static_cast<char*>(*device) + 99);
  EXPECT_EQ(inside->memory, Memory::kDevice);
  EXPECT_EQ(inside->device, 1);
  EXPECT_EQ(runtime_->classify(*pinned)->memory, Memory::kPinned);
  EXPECT_EQ(runtime_->classify(host.data())->memory, Memory::kHost);
  EXPECT_EQ(call<int()>("fake_last_error")(), 0) << "the user must not find our error";
  EXPECT_TRUE(runtime_->release(*device).ok());
  EXPECT_TRUE(runtime_->release_pinned(*pinned).ok());
  EXPECT_TRUE(runtime_->set_device(0).ok());
}

TEST_F(DeviceTest, CopiesAndOrders) {
  Result<Stream> stream = runtime_->create_stream();
  Result<Event> event = runtime_->create_event();
  Result<void*> memory = runtime_->allocate(4);
  ASSERT_TRUE(stream.ok() && event.ok() && memory.ok());
  const int sent = 4711;
  int received = 0;
  EXPECT_TRUE(runtime_->copy(*memory, &sent, 4, Direction::kToDevice, *stream).ok());
  EXPECT_TRUE(runtime_->copy(&received, *memory, 4, Direction::kToHost, *stream).ok());
  EXPECT_EQ(received, sent);
  EXPECT_TRUE(runtime_->record(*event, *stream).ok());
  EXPECT_TRUE(runtime_->wait_event(*stream, *event).ok());
  EXPECT_TRUE(*runtime_->done(*event));
  call<void(int)>("fake_set_late_events")(1);
  EXPECT_FALSE(*runtime_->done(*event));
  EXPECT_EQ(call<int()>("fake_last_error")(), 0) << "'not ready' is not left behind";
  call<void(int)>("fake_set_late_events")(0);
  EXPECT_TRUE(runtime_->destroy_event(*event).ok());
  EXPECT_TRUE(runtime_->destroy_stream(*stream).ok());
  EXPECT_TRUE(runtime_->release(*memory).ok());
}

TEST_F(DeviceTest, ValuesOnStreamsWhereTheVendorHasThem) {
  std::uint64_t value = 0;
  const bool has = vendor() != "iluvatar";
  EXPECT_EQ(runtime_->capabilities().write_value, has);
  EXPECT_EQ(runtime_->capabilities().wait_value, has);
  EXPECT_EQ(runtime_->write_value(nullptr, &value, 7).ok(), has);
  EXPECT_EQ(value, has ? 7U : 0U);
  EXPECT_EQ(runtime_->wait_value(nullptr, &value, 7).ok(), has);
  EXPECT_EQ(runtime_->write_value(nullptr, &value, 7).message().find("has no") != std::string::npos, !has);
}

TEST_F(DeviceTest, ErrorsNameTheCallAndAreTaken) {
  const Result<void*> memory = runtime_->allocate(2ULL << 30);
  ASSERT_FALSE(memory.ok());
  EXPECT_EQ(memory.status().code(), Code::kDevice);
  EXPECT_NE(memory.status().message().find("Malloc: OutOfMemory (2)"), std::string::npos) << memory.status().message();
  EXPECT_EQ(call<int()>("fake_last_error")(), 0);
}

TEST_F(DeviceTest, AVisitLeavesDeviceAndCaptureModeAsTheyWere) {
  const auto mode = call<int()>("fake_capture_mode");
  {
    const Visit visit(*runtime_, 1);
    ASSERT_TRUE(visit.status().ok());
    EXPECT_EQ(*runtime_->current_device(), 1);
    EXPECT_EQ(mode(), runtime_->capabilities().capture ? Runtime::kRelaxedCapture : 0);
  }
  EXPECT_EQ(*runtime_->current_device(), 0);
  EXPECT_EQ(mode(), 0);
  EXPECT_FALSE(Visit(*runtime_, 9).status().ok());
  EXPECT_EQ(*runtime_->current_device(), 0);
}

using cuda_shaped::Match;
using cuda_shaped::match;

TEST(Identity, ThePciBusDecidesBeforeAnyName) {
  const cuda_shaped::Device iluvatar{0x1e3e, "NVIDIA H100", "/usr/lib/libcudart.so.13"};
  EXPECT_EQ(match(*tables::of("iluvatar"), iluvatar), Match::kSure);
  EXPECT_EQ(match(*tables::of("nvidia"), iluvatar), Match::kNo);
}

TEST(Identity, WithoutThePciBusNamesDecide) {
  EXPECT_EQ(match(*tables::of("iluvatar"), {{}, "Iluvatar BI-V150", "/x/libcudart.so"}), Match::kSure);
  EXPECT_EQ(match(*tables::of("iluvatar"), {{}, "GPU", "/usr/local/corex/lib/libcudart.so"}), Match::kSure);
  EXPECT_EQ(match(*tables::of("iluvatar"), {{}, "H100", "/x/libcudart.so.13"}), Match::kNo);
  EXPECT_EQ(match(*tables::of("nvidia"), {{}, "H100", "/x/libcudart.so.13"}), Match::kPossible);
}

}  // namespace
}  // namespace amalgam::device
