// Which devices a process sees, and whose they are, behind both vendors' CUDA 13 faces. Runs with four devices of which
// the third and the first are visible, in this order.

#include <gtest/gtest.h>

#include <string>

#include "base/device.h"
#include "tests/vendors/nvidia/cuda13.h"

namespace {

#ifdef STANDIN_ILUVATAR_CUDA13
constexpr const char* kVendor = "iluvatar";
#else
constexpr const char* kVendor = "nvidia";
#endif

std::string bus(int device) {
  char text[32] = "";
  EXPECT_EQ(cudaDeviceGetPCIBusId(text, sizeof(text), device), face::kSuccess);
  return std::string(text).substr(5, 2);
}

TEST(VisibleDevices, AreThoseOfTheListUpToTheFirstThatIsNotThere) {
  int count = 0;
  ASSERT_EQ(cudaGetDeviceCount(&count), face::kSuccess);
  EXPECT_EQ(count, 2);
  EXPECT_EQ(bus(0), "03");
  EXPECT_EQ(bus(1), "01");
  cudaDeviceProp properties;
  ASSERT_EQ(cudaGetDeviceProperties(&properties, 0), face::kSuccess);
  EXPECT_EQ(properties.uuid[15], 2);
  EXPECT_EQ(properties.pciBusID, 3);
  EXPECT_EQ(cudaSetDevice(2), face::kInvalidDevice);
  cudaGetLastError();
}

TEST(VisibleDevices, BelongToTheirVendor) {
  ASSERT_EQ(cudaSetDevice(1), face::kSuccess);
  const auto found = amalgam::device::active_runtime();
  ASSERT_TRUE(found.ok() && found->runtime != nullptr);
  EXPECT_EQ(found->runtime->vendor(), kVendor);
  EXPECT_EQ(found->device, 1);
  void* memory = nullptr;
  ASSERT_EQ(cudaMalloc(&memory, 64), face::kSuccess);
  const auto place = found->runtime->classify(memory);
  ASSERT_TRUE(place.ok());
  EXPECT_EQ(place->memory, amalgam::device::Memory::kDevice);
  EXPECT_EQ(place->device, 1);
  EXPECT_EQ(cudaFree(memory), face::kSuccess);
}

}  // namespace
