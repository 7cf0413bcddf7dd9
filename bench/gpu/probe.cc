#include "probe.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <stdexcept>
#include <thread>

namespace gpu {

void check(ncclResult_t result, const char* call) {
  if (result != ncclSuccess)
    throw std::runtime_error(std::string(call) + ": " + ncclGetErrorString(result) + ": " + ncclGetLastError(nullptr));
}

double now_us() {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Device::Device(const Options& options) : runtime(bench::open_runtime(options.runtime)) {
  bench::check(runtime, runtime.SetDevice(options.device), "SetDevice");
}

void* Device::allocate(std::size_t bytes) const {
  void* memory = nullptr;
  bench::check(runtime, runtime.Malloc(&memory, bytes), "Malloc");
  return memory;
}

bench::Stream Device::make_stream() const {
  bench::Stream stream = nullptr;
  bench::check(runtime, runtime.StreamCreateWithFlags(&stream, bench::kNonBlockingStream), "StreamCreateWithFlags");
  return stream;
}

void Device::copy(void* to, const void* from, std::size_t bytes, int kind, bench::Stream stream) const {
  bench::check(runtime, runtime.MemcpyAsync(to, from, bytes, kind, stream), "MemcpyAsync");
}

void Device::fill(void* to, int byte, std::size_t bytes, bench::Stream stream) const {
  bench::check(runtime, runtime.MemsetAsync(to, byte, bytes, stream), "MemsetAsync");
}

void Device::wait(bench::Stream stream) const {
  bench::check(runtime, runtime.StreamSynchronize(stream), "StreamSynchronize");
}

void beside_a_cpu_rank(const std::function<void(const Member&)>& on_device,
                       const std::function<void(const Member&)>& on_cpu) {
  ncclUniqueId id;
  check(ncclGetUniqueId(&id), "ncclGetUniqueId");
  std::exception_ptr failed;
  std::thread cpu([&] {
    try {
      Member member{1, nullptr};
      check(ncclCommInitRank(&member.comm, 2, id, member.rank), "ncclCommInitRank");
      on_cpu(member);
    } catch (...) {
      failed = std::current_exception();
    }
  });
  Member member{0, nullptr};
  check(ncclCommInitRank(&member.comm, 2, id, member.rank), "ncclCommInitRank");
  on_device(member);
  cpu.join();
  if (failed) std::rethrow_exception(failed);
}

}  // namespace gpu
