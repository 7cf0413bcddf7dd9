#pragma once

// Memory that grows to the largest amount ever asked for and is kept, so that a repeated call allocates nothing.

#include <cstddef>
#include <memory>
#include <new>

#include "base/host_memory.h"

namespace amalgam::engine {

class KeptMemory {
 public:
  static constexpr std::size_t kAlignment = 64;  // a cache line
  static constexpr std::size_t aligned(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

  // At least `bytes`, aligned, valid until more is asked for; what lay in it is lost when it grows. Null: no memory.
  std::byte* reserve(std::size_t bytes) {
    if (bytes > capacity_) {
      memory_.reset();  // before the larger one is asked for
      memory_.reset(new (std::nothrow) std::byte[bytes + kAlignment]);
      capacity_ = memory_ ? bytes : 0;
    }
    if (!memory_) return nullptr;
    return reinterpret_cast<std::byte*>(aligned(reinterpret_cast<std::size_t>(memory_.get())));
  }

 private:
  std::unique_ptr<std::byte[]> memory_;
  std::size_t capacity_ = 0;
};

// The same, in memory that other processes of this machine can read where it lies.
class KeptSharedMemory {
 public:
  KeptSharedMemory() = default;
  ~KeptSharedMemory() { release(); }
  KeptSharedMemory(const KeptSharedMemory&) = delete;
  KeptSharedMemory& operator=(const KeptSharedMemory&) = delete;

  std::byte* reserve(std::size_t bytes) {
    if (bytes <= capacity_) return memory_;
    release();
    Result<void*> memory = host_memory::allocate(bytes);
    if (!memory) return nullptr;
    memory_ = static_cast<std::byte*>(*memory);
    capacity_ = bytes;
    return memory_;
  }

 private:
  void release() {
    if (memory_ != nullptr) (void)host_memory::release(memory_);
    memory_ = nullptr;
    capacity_ = 0;
  }

  std::byte* memory_ = nullptr;
  std::size_t capacity_ = 0;
};

}  // namespace amalgam::engine
