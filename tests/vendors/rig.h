#pragma once

// Ranks as threads of one process: CPU ranks, and ranks on devices of the stand-ins. A buffer knows where it lies, so a
// test says the same for all of them.

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#ifndef AMALGAM_NO_DEVICE_HEADERS
#define AMALGAM_NO_DEVICE_HEADERS 1  // the stand-in declares the runtime itself
#endif
#include "nccl.h"
#include "tests/vendors/nvidia/face.h"

namespace rig {

// What a rank needs of a runtime, by whatever names. One test program serves all vendors: RIG_RUNTIME is the runtime's
// file and RIG_PREFIX its functions' ("hip"); without them it is what the program is linked with, if anything.
struct Runtime {
  int (*set_device)(int);
  int (*allocate)(void**, std::size_t);
  int (*release)(void*);
  int (*copy)(void*, const void*, std::size_t, int kind, cudaStream_t);
  int (*create_stream)(cudaStream_t*, unsigned);
  int (*destroy_stream)(cudaStream_t);
  int (*synchronize)(cudaStream_t);
  int (*query)(cudaStream_t);
  int (*fill32)(std::uint32_t*, std::uint32_t value, std::size_t count, cudaStream_t);  // a kernel
  int (*spin)(const std::uint32_t* pinned, cudaStream_t);  // one that runs until it is not 0
  int (*allocate_pinned)(void**, std::size_t, unsigned);
  int (*release_pinned)(void*);
};

inline Runtime runtime_in(void* library, const std::string& prefix) {
  Runtime made{};
  const auto find = [&](const std::string& name, auto& function) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(library, name.c_str()));
  };
  find(prefix + "SetDevice", made.set_device);
  find(prefix + "Malloc", made.allocate);
  find(prefix + "Free", made.release);
  find(prefix + "MemcpyAsync", made.copy);
  find(prefix + "StreamCreateWithFlags", made.create_stream);
  find(prefix + "StreamDestroy", made.destroy_stream);
  find(prefix + "StreamSynchronize", made.synchronize);
  find(prefix + "StreamQuery", made.query);
  const bool cuda = prefix == "cuda";
  find((cuda ? std::string("standin_launch_") : "standin_" + prefix + "_launch_") + "fill32", made.fill32);
  find((cuda ? std::string("standin_launch_") : "standin_" + prefix + "_launch_") + "spin", made.spin);
  find(prefix + (cuda ? "HostAlloc" : "HostMalloc"), made.allocate_pinned);
  find(prefix + (cuda ? "FreeHost" : "HostFree"), made.release_pinned);
  return made;
}

inline std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

inline const Runtime* default_runtime() {
  static const Runtime found = [] {
    const std::string file = setting("RIG_RUNTIME"), prefix = setting("RIG_PREFIX");
    void* library = file.empty() ? RTLD_DEFAULT : ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    EXPECT_TRUE(file.empty() || library != nullptr) << ::dlerror();
    return runtime_in(library, prefix.empty() ? "cuda" : prefix);
  }();
  return &found;
}

// Where a rank works: a device of a runtime, or nowhere.
struct Place {
  Place(int number = -1) : runtime(number < 0 ? nullptr : default_runtime()), device(number) {}  // NOLINT
  Place(const Runtime& its_runtime, int number) : runtime(&its_runtime), device(number) {}
  const Runtime* runtime;
  int device;
};
inline constexpr int kCpu = -1;

struct Rank {
  int rank = 0;
  int ranks = 1;
  Place place;
  ncclComm_t comm = nullptr;
  cudaStream_t stream = nullptr;  // of its own on a device; the null stream on CPU ranks

  bool on_device() const { return place.runtime != nullptr; }
};

// A rank's memory.
class Buffer {
 public:
  Buffer(const Rank& rank, std::size_t bytes) : runtime_(rank.place.runtime), bytes_(bytes) {
    if (runtime_ != nullptr && bytes != 0) {
      EXPECT_EQ(runtime_->allocate(&memory_, bytes), face::kSuccess);
    } else if (bytes != 0) {
      plain_.resize(bytes);
      memory_ = plain_.data();
    }
  }
  ~Buffer() {
    if (runtime_ != nullptr && memory_ != nullptr) {
      EXPECT_EQ(runtime_->release(memory_), face::kSuccess);
    }
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  void* at(std::size_t offset = 0) const { return static_cast<char*>(memory_) + offset; }
  std::size_t bytes() const { return bytes_; }

  // In the stream's order on a device.
  void write(const void* from, cudaStream_t stream) {
    if (bytes_ == 0) return;
    if (runtime_ == nullptr) return void(std::memcpy(memory_, from, bytes_));
    EXPECT_EQ(runtime_->copy(memory_, from, bytes_, 1, stream), face::kSuccess);
  }
  std::vector<unsigned char> read(cudaStream_t stream) {
    std::vector<unsigned char> bytes(bytes_);
    if (bytes_ == 0) return bytes;
    if (runtime_ != nullptr) {
      EXPECT_EQ(runtime_->copy(bytes.data(), memory_, bytes_, 2, stream), face::kSuccess);
      EXPECT_EQ(runtime_->synchronize(stream), face::kSuccess);
    } else {
      std::memcpy(bytes.data(), memory_, bytes_);
    }
    return bytes;
  }

 private:
  const Runtime* runtime_;
  std::size_t bytes_;
  void* memory_ = nullptr;
  std::vector<unsigned char> plain_;
};

// A rank's life on the calling thread: joins, runs `body`, destroys.
inline void live(Rank rank, const ncclUniqueId& id, const std::function<void(Rank&)>& body, bool destroy = true) {
  const Runtime* runtime = rank.place.runtime;
  if (runtime != nullptr) {
    ASSERT_EQ(runtime->set_device(rank.place.device), face::kSuccess);
    ASSERT_EQ(runtime->create_stream(&rank.stream, 1), face::kSuccess);
  }
  ASSERT_EQ(ncclCommInitRank(&rank.comm, rank.ranks, id, rank.rank), ncclSuccess) << ncclGetLastError(nullptr);
  body(rank);
  if (destroy) {
    EXPECT_EQ(ncclCommDestroy(rank.comm), ncclSuccess);
  }
  if (runtime != nullptr) {
    EXPECT_EQ(runtime->destroy_stream(rank.stream), face::kSuccess);
  }
}

// One thread for each place; all join one communicator.
inline void run(const std::vector<Place>& places, const std::function<void(Rank&)>& body, bool destroy = true) {
  ncclUniqueId id;
  ASSERT_EQ(ncclGetUniqueId(&id), ncclSuccess);
  std::vector<std::thread> threads;
  for (std::size_t r = 0; r < places.size(); ++r)
    threads.emplace_back([&, r] {
      live({static_cast<int>(r), static_cast<int>(places.size()), places[r], nullptr, nullptr}, id, body, destroy);
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace rig
