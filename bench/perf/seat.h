#pragma once

// Where one rank works: in plain CPU memory, or on a device, with a stream of its own. What is written and read is
// complete on return.
//
// Threads    one at a time; use() first in each thread that calls      Errors  std::runtime_error

#include <cstddef>

#include "../device/runtime.h"

namespace perf {

class Seat {
 public:
  Seat() = default;                                                   // CPU memory
  Seat(const bench::Runtime& runtime, int device, bool null_stream);  // `runtime` outlives it

  bool on_device() const { return runtime_ != nullptr; }
  int device() const { return device_; }
  bench::Stream stream() const { return stream_; }  // null on the CPU

  void use() const;  // the calling thread works here from now on
  std::byte* allocate(std::size_t bytes) const;
  void release(std::byte* memory) const;
  void write(std::byte* to, const std::byte* from, std::size_t bytes) const;
  void read(std::byte* to, const std::byte* from, std::size_t bytes) const;
  void clear(std::byte* memory, std::size_t bytes) const;
  void wait() const;  // until the stream is empty

 private:
  const bench::Runtime* runtime_ = nullptr;
  int device_ = 0;
  bench::Stream stream_ = nullptr;
};

}  // namespace perf
