// The floor for two processes with one device each (or one for both): no library, only what an exchange must do. Each
// copies its data to pinned shared memory in slices, a word behind each slice; each copies the other's slices to its
// own device as they come. A reduction would add a pass over the result, in device memory, which is not counted.

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "probe.h"

namespace gpu {
namespace {

constexpr std::size_t kSlice = 1 << 20;
constexpr int kRanks = 2;

struct Shared {
  alignas(64) std::atomic<std::uint64_t> written[kRanks];  // slices that lie in shared memory, counted from the start
  alignas(64) std::atomic<std::uint64_t> arrived[kRanks];  // at the barrier
  std::byte* data[kRanks];                                 // the same addresses in both: mapped before the fork
};

Shared* map(std::size_t bytes) {
  const std::size_t header = 4096;
  void* all = mmap(nullptr, header + kRanks * bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED) throw std::runtime_error("no shared memory for the exchange");
  auto* shared = new (all) Shared{};
  for (int rank = 0; rank < kRanks; ++rank)
    shared->data[rank] = static_cast<std::byte*>(all) + header + static_cast<std::size_t>(rank) * bytes;
  return shared;
}

class Party {
 public:
  Party(const Options& options, Shared* shared, std::size_t largest, int rank)
      : device_(options), shared_(shared), rank_(rank), peer_(1 - rank) {
    bench::check(device_.runtime, device_.runtime.HostRegister(shared, 4096 + kRanks * largest, bench::kPortable),
                 "HostRegister");
    mine_ = device_.allocate(largest);
    theirs_ = device_.allocate(largest);
    up_ = device_.make_stream();
    down_ = device_.make_stream();
    device_.fill(mine_, rank + 1, largest, up_);
    device_.wait(up_);
    if (device_.runtime.WriteValue64 == nullptr) throw std::runtime_error("the driver has no stream write value");
  }

  void barrier() {
    shared_->arrived[rank_].store(++barriers_);
    while (shared_->arrived[peer_].load() < barriers_) std::this_thread::yield();
  }

  // Median time of an exchange in µs.
  double time(std::size_t bytes, int rounds) {
    std::vector<double> times;
    for (int round = 0; round < rounds + 3; ++round) {  // the first three warm up
      barrier();
      const double begin = now_us();
      exchange(bytes);
      if (round >= 3) times.push_back(now_us() - begin);
    }
    barrier();
    return median(times);
  }

  bool right(std::size_t bytes) {
    std::vector<unsigned char> got(bytes);
    device_.copy(got.data(), theirs_, bytes, bench::kToHost, down_);
    device_.wait(down_);
    return std::all_of(got.begin(), got.end(), [&](unsigned char byte) { return byte == peer_ + 1; });
  }

 private:
  void exchange(std::size_t bytes) {
    std::uint64_t slice = slices_;
    for (std::size_t at = 0; at < bytes; at += kSlice) {
      const std::size_t length = std::min(kSlice, bytes - at);
      device_.copy(shared_->data[rank_] + at, static_cast<std::byte*>(mine_) + at, length, bench::kToHost, up_);
      const auto word = reinterpret_cast<std::uint64_t>(&shared_->written[rank_]);
      bench::check(device_.runtime, device_.runtime.WriteValue64(up_, word, ++slice, 0), "StreamWriteValue64");
    }
    for (std::size_t at = 0; at < bytes; at += kSlice) {
      ++slices_;
      while (shared_->written[peer_].load(std::memory_order_acquire) < slices_) std::this_thread::yield();
      device_.copy(static_cast<std::byte*>(theirs_) + at, shared_->data[peer_] + at, std::min(kSlice, bytes - at),
                   bench::kToDevice, down_);
    }
    device_.wait(down_);
  }

  Device device_;
  Shared* shared_;
  int rank_, peer_;
  void *mine_ = nullptr, *theirs_ = nullptr;
  bench::Stream up_ = nullptr, down_ = nullptr;
  std::uint64_t slices_ = 0, barriers_ = 0;
};

Figures run(const Options& options, Shared* shared, int rank) {
  Party party(options, shared, options.bytes, rank);
  Figures rows = Figures::array();
  for (const std::size_t bytes : {std::size_t{8}, options.bytes / 8, options.bytes}) {
    const double us = party.time(bytes, options.rounds);
    if (!party.right(bytes)) throw std::runtime_error("the exchange gave wrong data");
    rows.push_back({{"bytes", bytes}, {"us", us}, {"gbps", static_cast<double>(bytes) / us / 1e3}});
  }
  return rows;
}

}  // namespace

Figures exchange(const Options& options) {
  Shared* shared = map(options.bytes);
  const pid_t child = fork();  // before the device is touched
  if (child < 0) throw std::runtime_error("no second process");
  if (child == 0) {
    try {
      run(options, shared, 1);
      _exit(0);
    } catch (const std::exception& failure) {
      (void)!write(STDERR_FILENO, failure.what(), std::strlen(failure.what()));
      _exit(1);
    }
  }
  const Figures rows = run(options, shared, 0);
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) throw std::runtime_error("the other process of the exchange failed");
  return {{"rows", rows}};
}

}  // namespace gpu
