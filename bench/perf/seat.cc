#include "seat.h"

#include <nccl.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace perf {

Seat::Seat(const bench::Runtime& runtime, int device, bool null_stream) : runtime_(&runtime), device_(device) {
  use();
  if (null_stream) return;
  bench::check(runtime, runtime.StreamCreateWithFlags(&stream_, bench::kNonBlockingStream), "StreamCreateWithFlags");
}

void Seat::use() const {
  if (runtime_ != nullptr) bench::check(*runtime_, runtime_->SetDevice(device_), "SetDevice");
}

std::byte* Seat::allocate(std::size_t bytes) const {
  void* memory = nullptr;
  if (runtime_ != nullptr) {
    bench::check(*runtime_, runtime_->Malloc(&memory, bytes), "Malloc");
  } else {
    memory = std::aligned_alloc(NCCL_WIN_REQUIRED_ALIGNMENT, bytes);
    if (memory == nullptr) throw std::runtime_error("no memory for a buffer of " + std::to_string(bytes) + " bytes");
  }
  return static_cast<std::byte*>(memory);
}

void Seat::release(std::byte* memory) const {
  if (runtime_ == nullptr) return std::free(memory);
  if (memory != nullptr) (void)runtime_->Free(memory);
}

void Seat::write(std::byte* to, const std::byte* from, std::size_t bytes) const {
  if (runtime_ == nullptr) return void(std::memcpy(to, from, bytes));
  bench::check(*runtime_, runtime_->MemcpyAsync(to, from, bytes, bench::kToDevice, stream_), "MemcpyAsync");
  wait();
}

void Seat::read(std::byte* to, const std::byte* from, std::size_t bytes) const {
  if (runtime_ == nullptr) return void(std::memcpy(to, from, bytes));
  bench::check(*runtime_, runtime_->MemcpyAsync(to, from, bytes, bench::kToHost, stream_), "MemcpyAsync");
  wait();
}

void Seat::clear(std::byte* memory, std::size_t bytes) const {
  if (runtime_ == nullptr) return void(std::memset(memory, 0, bytes));
  if (bytes == 0) return;
  bench::check(*runtime_, runtime_->MemsetAsync(memory, 0, bytes, stream_), "MemsetAsync");
  wait();
}

void Seat::wait() const {
  if (runtime_ != nullptr) bench::check(*runtime_, runtime_->StreamSynchronize(stream_), "StreamSynchronize");
}

}  // namespace perf
