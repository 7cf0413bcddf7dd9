// The rest of the CUDA 13 face: what a program asks before it computes, what has no stream, and what ends the process.

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "base/device.h"
#include "tests/vendors/nvidia/cuda13.h"

namespace {

constexpr int kSuccess = face::kSuccess;
constexpr int kLast = 1;  // the second of the two devices that the test runs with

void* context() {
  void* found = nullptr;
  EXPECT_EQ(cuCtxGetCurrent(&found), kSuccess);
  return found;
}

void* on_device(size_t bytes) {
  void* made = nullptr;
  EXPECT_EQ(cudaMalloc(&made, bytes), kSuccess);
  return made;
}

// On a thread of its own: what was called on it before decides.
template <typename Body>
void on_new_thread(const Body& body) {
  std::thread(body).join();
}

TEST(Context, LookingMakesNone) {
  on_new_thread([] {
    int number = 0;
    cudaDeviceProp properties;
    EXPECT_EQ(cudaGetDeviceCount(&number), kSuccess);
    EXPECT_EQ(number, 2);
    EXPECT_EQ(cudaGetDeviceProperties(&properties, 0), kSuccess);
    EXPECT_EQ(cudaDeviceGetAttribute(&number, 75, 0), kSuccess);
    EXPECT_EQ(cudaDeviceCanAccessPeer(&number, 0, 1), kSuccess);
    EXPECT_EQ(cuInit(0), kSuccess);
    EXPECT_EQ(cuDeviceGetAttribute(&number, 75, 0), kSuccess);
    EXPECT_EQ(context(), nullptr);
  });
}

TEST(Context, SetDeviceAndMallocMakeOne) {
  on_new_thread([] {
    EXPECT_EQ(cudaSetDevice(kLast), kSuccess);
    void* second = nullptr;
    EXPECT_EQ(cuDevicePrimaryCtxRetain(&second, kLast), kSuccess);
    EXPECT_EQ(context(), second);
    EXPECT_EQ(cuCtxSetCurrent(nullptr), kSuccess);
    EXPECT_EQ(context(), nullptr);
  });
  on_new_thread([] {
    EXPECT_EQ(cudaFree(on_device(16)), kSuccess);
    EXPECT_NE(context(), nullptr);
  });
}

// A rank is a CPU rank until its thread works on a device: our own library's eyes.
TEST(Context, TellsOurLibraryWhoseDeviceTheThreadWorksOn) {
  using amalgam::device::active_runtime;
  on_new_thread([] { EXPECT_EQ(active_runtime()->runtime, nullptr); });
  on_new_thread([] {
    ASSERT_EQ(cudaSetDevice(kLast), kSuccess);
    const auto active = active_runtime();
    ASSERT_TRUE(active.ok()) << active.status().message();
    ASSERT_NE(active->runtime, nullptr);
    const amalgam::device::Runtime& runtime = *active->runtime;
    EXPECT_EQ(runtime.vendor(), "nvidia");
    EXPECT_EQ(active->device, kLast);
    EXPECT_EQ(*runtime.pci_bus_id(kLast), "7fff:02:00.0");
    EXPECT_EQ(*runtime.model(kLast), "Stand-in NVIDIA device");
    EXPECT_TRUE(runtime.capabilities().wait_value && runtime.capabilities().write_value);
    const auto pinned = runtime.allocate_pinned(100);
    void* device = on_device(100);
    char plain = 0;
    using amalgam::device::Memory;
    EXPECT_EQ(runtime.classify(static_cast<char*>(device) + 99)->memory, Memory::kDevice);
    EXPECT_EQ(runtime.classify(device)->device, kLast);
    EXPECT_EQ(runtime.classify(*pinned)->memory, Memory::kPinned);
    EXPECT_EQ(runtime.classify(&plain)->memory, Memory::kHost);
    EXPECT_TRUE(runtime.release_pinned(*pinned).ok());
    EXPECT_EQ(cudaFree(device), kSuccess);
  });
}

TEST(Devices, PropertiesAndAttributesAgree) {
  cudaDeviceProp properties;
  ASSERT_EQ(cudaGetDeviceProperties(&properties, kLast), kSuccess);
  EXPECT_STREQ(properties.name, "Stand-in NVIDIA device");
  const auto attribute = [](int number) {
    int value = -1;
    EXPECT_EQ(cudaDeviceGetAttribute(&value, number, kLast), kSuccess) << number;
    return value;
  };
  EXPECT_EQ(properties.major, attribute(75));
  EXPECT_EQ(properties.minor, attribute(76));
  EXPECT_EQ(properties.multiProcessorCount, attribute(16));
  EXPECT_EQ(properties.warpSize, 32);
  EXPECT_EQ(attribute(122), 1);
  EXPECT_EQ(attribute(123), 1);
  EXPECT_EQ(attribute(124), 0) << "cuMemGetHandleForAddressRange refuses";
  EXPECT_EQ(attribute(132), 1);
  size_t unused = 0, total = 0;
  ASSERT_EQ(cudaMemGetInfo(&unused, &total), kSuccess);
  EXPECT_EQ(properties.totalGlobalMem, total);
  char id[32];
  ASSERT_EQ(cudaDeviceGetPCIBusId(id, sizeof id, kLast), kSuccess);
  char from_numbers[32];
  std::snprintf(from_numbers, sizeof from_numbers, "%04x:%02x:%02x.0", static_cast<unsigned>(properties.pciDomainID),
                static_cast<unsigned>(properties.pciBusID), static_cast<unsigned>(properties.pciDeviceID));
  EXPECT_STREQ(id, from_numbers);
  int found = -1;
  EXPECT_EQ(cudaDeviceGetByPCIBusId(&found, id), kSuccess);
  EXPECT_EQ(found, kLast);
}

TEST(Devices, WhatIsNotThereIsRefusedAndRemembered) {
  cudaDeviceProp properties;
  int value = 0;
  EXPECT_EQ(cudaGetDeviceProperties(&properties, 2), face::kInvalidDevice);
  EXPECT_EQ(cudaPeekAtLastError(), face::kInvalidDevice);
  EXPECT_EQ(cudaGetLastError(), face::kInvalidDevice);
  EXPECT_EQ(cudaGetLastError(), kSuccess) << "taken";
  EXPECT_EQ(cuDeviceGetAttribute(&value, 16, 2), face::kInvalidDevice);
  EXPECT_EQ(cudaGetLastError(), kSuccess) << "the driver's errors are not the runtime's";
  EXPECT_EQ(cudaDeviceGetAttribute(&value, 0, 0), face::kInvalidValue);
  EXPECT_EQ(cudaSetDevice(2), face::kInvalidDevice);
  EXPECT_STREQ(cudaGetErrorName(cudaGetLastError()), "cudaErrorInvalidDevice");
  EXPECT_STREQ(cudaGetErrorString(2), "out of memory");
  EXPECT_STREQ(cudaGetErrorName(12345), "unrecognized error code");
}

TEST(Devices, PeersAreEnabledOnce) {
  on_new_thread([] {
    ASSERT_EQ(cudaSetDevice(0), kSuccess);
    EXPECT_EQ(cudaDeviceEnablePeerAccess(0, 0), face::kInvalidDevice);
    EXPECT_EQ(cudaDeviceEnablePeerAccess(1, 0), kSuccess);
    EXPECT_EQ(cudaDeviceEnablePeerAccess(1, 0), face::kPeerAccessAlreadyEnabled);
    EXPECT_EQ(cudaDeviceDisablePeerAccess(1), kSuccess);
    EXPECT_EQ(cudaDeviceDisablePeerAccess(1), face::kPeerAccessNotEnabled);
  });
}

TEST(Copies, RowsAndOtherDevices) {
  ASSERT_EQ(cudaSetDevice(0), kSuccess);
  void* first = on_device(64);
  ASSERT_EQ(cudaSetDevice(kLast), kSuccess);
  void* second = on_device(64);
  std::string rows = "ab..cd..ef..", packed(6, ' ');
  ASSERT_EQ(cudaMemcpy2D(first, 2, rows.data(), 4, 2, 3, 1), kSuccess);
  ASSERT_EQ(cudaMemcpyPeerAsync(second, kLast, first, 0, 6, nullptr), kSuccess);
  ASSERT_EQ(cudaMemcpy(packed.data(), second, 6, 4), kSuccess);
  EXPECT_EQ(packed, "abcdef");
  ASSERT_EQ(cudaMemcpy2D(rows.data(), 4, second, 2, 2, 3, 2), kSuccess);
  EXPECT_EQ(rows, "ab..cd..ef..");
  EXPECT_EQ(cudaMemcpy2D(first, 2, rows.data(), 4, 3, 3, 1), face::kInvalidPitchValue);
  ASSERT_EQ(cudaMemset(second, 'x', 6), kSuccess);
  ASSERT_EQ(cudaMemcpy(packed.data(), second, 6, 2), kSuccess);
  EXPECT_EQ(packed, "xxxxxx");
  ASSERT_EQ(cudaFree(first), kSuccess);
  ASSERT_EQ(cudaFree(second), kSuccess);
  ASSERT_EQ(cudaSetDevice(0), kSuccess);
}

// Also an asynchronous one, between pinned memories, behind work that is not done.
TEST(Copies, BetweenHostMemoriesAreCompleteOnReturn) {
  uint64_t* pinned = nullptr;  // a flag, a source, a destination
  ASSERT_EQ(cudaHostAlloc(reinterpret_cast<void**>(&pinned), 3 * sizeof *pinned, 0), kSuccess);
  pinned[0] = 0, pinned[1] = 7, pinned[2] = 0;
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, 1), kSuccess);
  ASSERT_EQ(cuStreamWaitValue64_v2(stream, reinterpret_cast<CUdeviceptr>(pinned), 1, 0), kSuccess);
  std::atomic<bool> entered{false};
  std::thread copying([&] {
    entered = true;
    EXPECT_EQ(cudaMemcpyAsync(&pinned[2], &pinned[1], sizeof *pinned, 0, stream), kSuccess);
    EXPECT_EQ(__atomic_load_n(&pinned[0], __ATOMIC_ACQUIRE), 1U) << "returned before it could be done";
    EXPECT_EQ(pinned[2], 7U);
  });
  while (!entered) std::this_thread::yield();
  void* device = on_device(64);  // other work goes on
  ASSERT_EQ(cudaMemcpy(device, &pinned[1], sizeof *pinned, 1), kSuccess);
  __atomic_store_n(&pinned[0], 1, __ATOMIC_RELEASE);
  copying.join();
  ASSERT_EQ(cudaFree(device), kSuccess);
  ASSERT_EQ(cudaMemset(nullptr, 0, 0), kSuccess);
  ASSERT_EQ(cudaStreamDestroy(stream), kSuccess);
  ASSERT_EQ(cudaFreeHost(pinned), kSuccess);
}

// The memory is back only when the stream got to the free, and a free that waits for nobody returns at once.
TEST(Pools, AFreeTakesItsPlaceInTheStream) {
  uint64_t* flag = nullptr;
  ASSERT_EQ(cudaHostAlloc(reinterpret_cast<void**>(&flag), sizeof *flag, 0), kSuccess);
  *flag = 0;
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, 1), kSuccess);
  size_t before = 0, between = 0, after = 0, total = 0;
  ASSERT_EQ(cudaMemGetInfo(&before, &total), kSuccess);
  void* memory = nullptr;
  ASSERT_EQ(cudaMallocAsync(&memory, 4096, stream), kSuccess);
  ASSERT_EQ(cuStreamWaitValue64_v2(stream, reinterpret_cast<CUdeviceptr>(flag), 1, 0), kSuccess);
  ASSERT_EQ(cudaMemsetAsync(memory, 1, 4096, stream), kSuccess);
  ASSERT_EQ(cudaFreeAsync(memory, stream), kSuccess);
  ASSERT_EQ(cudaMemGetInfo(&between, &total), kSuccess);
  EXPECT_EQ(between, before - 4096);
  __atomic_store_n(flag, 1, __ATOMIC_RELEASE);
  ASSERT_EQ(cudaStreamSynchronize(stream), kSuccess);
  ASSERT_EQ(cudaMemGetInfo(&after, &total), kSuccess);
  EXPECT_EQ(after, before);
  ASSERT_EQ(cudaStreamDestroy(stream), kSuccess);
  ASSERT_EQ(cudaFreeHost(flag), kSuccess);
  cudaMemPool_t pool = nullptr;
  EXPECT_EQ(cudaDeviceGetDefaultMemPool(&pool, 0), face::kNotSupported);
  EXPECT_EQ(cudaGetLastError(), face::kNotSupported);
}

TEST(Memory, FlagsThatNobodyKnowsAreRefused) {
  void* pinned = nullptr;
  std::vector<char> own(4096);
  EXPECT_EQ(cudaHostAlloc(&pinned, 16, 8), face::kInvalidValue);
  EXPECT_EQ(cudaHostRegister(own.data(), own.size(), 16), face::kInvalidValue);
  EXPECT_EQ(cudaHostRegister(own.data(), own.size(), 3), kSuccess);
  EXPECT_EQ(cudaHostRegister(own.data(), own.size(), 3), face::kAlreadyRegistered);
  EXPECT_EQ(cudaHostUnregister(own.data()), kSuccess);
  (void)cudaGetLastError();
}

TEST(Memory, TheDriverKnowsRanges) {
  char* memory = static_cast<char*>(on_device(1000));
  const auto inside = reinterpret_cast<CUdeviceptr>(memory + 500);
  CUdeviceptr base = 0;
  size_t bytes = 0;
  EXPECT_EQ(cuMemGetAddressRange_v2(&base, &bytes, inside), kSuccess);
  EXPECT_EQ(base, reinterpret_cast<CUdeviceptr>(memory));
  EXPECT_EQ(bytes, 1000U);
  unsigned type = 0;
  EXPECT_EQ(cuPointerGetAttribute(&type, 2, inside), kSuccess);
  EXPECT_EQ(type, 2U);
  EXPECT_EQ(cuPointerGetAttribute(&type, 2, reinterpret_cast<CUdeviceptr>(&type)), face::kInvalidValue);
  int descriptor = -1;
  EXPECT_EQ(cuMemGetHandleForAddressRange(&descriptor, base, 4096, 1, 0), face::kNotSupported);
  EXPECT_EQ(cudaFree(memory), kSuccess);
}

TEST(EntryPoints, AreTheExportedFunctionsOrRefusalsOrNothing) {
  void* function = nullptr;
  int status = -1;
  ASSERT_EQ(cudaGetDriverEntryPointByVersion("cuDeviceGetCount", &function, 12000, 0, &status), kSuccess);
  ASSERT_EQ(status, 0);
  int count = 0;
  EXPECT_EQ(reinterpret_cast<CUresult (*)(int*)>(function)(&count), kSuccess);
  EXPECT_EQ(count, 2);
  ASSERT_EQ(cudaGetDriverEntryPoint("cuStreamWriteValue64", &function, 0, &status), kSuccess);
  EXPECT_EQ(function, reinterpret_cast<void*>(&cuStreamWriteValue64_v2));
  ASSERT_EQ(cudaGetDriverEntryPoint("cuMulticastCreate", &function, 0, &status), kSuccess);
  EXPECT_EQ(reinterpret_cast<CUresult (*)()>(function)(), face::kNotSupported);
  ASSERT_EQ(cudaGetDriverEntryPoint("cuNobodyKnows", &function, 0, &status), kSuccess);
  EXPECT_EQ(function, nullptr);
  EXPECT_EQ(status, 1);
}

// As programs find the driver: by its own name, and with symbols that carry no version.
TEST(EntryPoints, TheDriverHasAFileOfItsOwn) {
  void* driver = ::dlopen("libcuda.so.1", RTLD_NOW);
  ASSERT_NE(driver, nullptr) << ::dlerror();
  EXPECT_EQ(::dlsym(driver, "cuInit"), reinterpret_cast<void*>(&cuInit));
  EXPECT_NE(::dlvsym(driver, "cudaMalloc", "libcudart.so.13"), nullptr);
  EXPECT_EQ(::dlvsym(driver, "cuInit", "libcudart.so.13"), nullptr);
}

TEST(Kernels, ALaunchConfigurationComesBackOnce) {
  const auto stream = reinterpret_cast<cudaStream_t>(2);
  EXPECT_EQ(__cudaPushCallConfiguration({1, 2, 3}, {4, 5, 6}, 7, stream), 0U);
  dim3 grid, block;
  size_t shared = 0;
  cudaStream_t back = nullptr;
  EXPECT_EQ(__cudaPopCallConfiguration(&grid, &block, &shared, &back), kSuccess);
  EXPECT_EQ(grid.z, 3U);
  EXPECT_EQ(block.x, 4U);
  EXPECT_EQ(shared, 7U);
  EXPECT_EQ(back, stream);
  EXPECT_EQ(__cudaPopCallConfiguration(&grid, &block, &shared, &back), face::kInvalidValue);
  (void)cudaGetLastError();
}

class FaceDeathTest : public ::testing::Test {
 protected:
  FaceDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(FaceDeathTest, AKernelThatCannotRunEndsTheProcessByItsName) {
  static const char host_function = 0;
  void** binary = __cudaRegisterFatBinary(nullptr);
  __cudaRegisterFunction(binary, &host_function, nullptr, "some_kernel", -1, nullptr, nullptr, nullptr, nullptr,
                         nullptr);
  __cudaRegisterFatBinaryEnd(binary);
  void* kernel = nullptr;
  ASSERT_EQ(__cudaGetKernel(&kernel, &host_function), kSuccess);
  EXPECT_DEATH(__cudaLaunchKernel(kernel, {1, 1, 1}, {1, 1, 1}, nullptr, 0, nullptr), "some_kernel");
  EXPECT_DEATH(cudaLaunchKernel(&host_function, {1, 1, 1}, {1, 1, 1}, nullptr, 0, nullptr), "some_kernel");
  EXPECT_DEATH(cudaLaunchKernelExC(nullptr, &kernel, nullptr), "cudaLaunchKernelExC.*unregistered");
}

TEST_F(FaceDeathTest, MisuseNamesTheRule) {
  char* memory = static_cast<char*>(on_device(64));
  EXPECT_DEATH(cudaFreeAsync(memory + 8, nullptr), "cudaFreeAsync: not the start");
  EXPECT_DEATH(cudaMemcpyPeer(memory, 1, memory, 0, 8), "another device");
  EXPECT_DEATH(
      {
        cudaFreeAsync(memory, nullptr);
        cudaFreeAsync(memory, nullptr);
        cudaDeviceSynchronize();
      },
      "cudaFreeAsync: ");
  EXPECT_EQ(cudaFree(memory), kSuccess);
}

}  // namespace
