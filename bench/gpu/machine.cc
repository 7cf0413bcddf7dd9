// What the machine can do at best: copies between pinned and device memory in slices, one way and both ways at once,
// and the CPU's own copying.

#include <cstring>
#include <thread>

#include "probe.h"

namespace gpu {
namespace {

constexpr std::size_t kSlice = 1 << 20;

struct Way {
  void* device;
  void* host;
  int kind;
  bench::Stream stream;
};

Way make_way(const Device& device, std::size_t bytes, int kind) {
  Way way{device.allocate(bytes), nullptr, kind, device.make_stream()};
  bench::check(device.runtime, device.runtime.HostAlloc(&way.host, bytes, bench::kPortable), "HostAlloc");
  std::memset(way.host, 1, bytes);
  device.fill(way.device, 1, bytes, way.stream);
  device.wait(way.stream);
  return way;
}

// GB/s of each way when all go at once.
double rate(const Device& device, const std::vector<Way>& ways, std::size_t bytes, int rounds) {
  std::vector<double> times;
  for (int round = 0; round < rounds; ++round) {
    const double begin = now_us();
    for (std::size_t at = 0; at < bytes; at += kSlice)
      for (const Way& way : ways) {
        char* on_device = static_cast<char*>(way.device) + at;
        char* on_host = static_cast<char*>(way.host) + at;
        const bool down = way.kind == bench::kToDevice;
        device.copy(down ? on_device : on_host, down ? on_host : on_device, std::min(kSlice, bytes - at), way.kind,
                    way.stream);
      }
    for (const Way& way : ways) device.wait(way.stream);
    times.push_back(now_us() - begin);
  }
  return static_cast<double>(bytes) / median(times) / 1e3;
}

// GB/s that `threads` threads copy together, each its own memory.
double memory_rate(int threads, std::size_t bytes, int rounds) {
  const auto part = bytes / static_cast<std::size_t>(threads);
  std::vector<std::vector<char>> from(static_cast<std::size_t>(threads), std::vector<char>(part, 1)), to = from;
  std::vector<double> times;
  for (int round = 0; round < rounds; ++round) {
    const double begin = now_us();
    std::vector<std::thread> all;
    for (std::size_t t = 0; t < from.size(); ++t)
      all.emplace_back([&, t] { std::memcpy(to[t].data(), from[t].data(), part); });
    for (std::thread& thread : all) thread.join();
    times.push_back(now_us() - begin);
  }
  return static_cast<double>(part) * threads / median(times) / 1e3;
}

}  // namespace

Figures machine(const Options& options) {
  const Device device(options);
  Figures figures;
  char name[256] = "unknown";
  if (device.runtime.DeviceGetName != nullptr) (void)device.runtime.DeviceGetName(name, sizeof(name), options.device);
  int version = 0;
  (void)device.runtime.RuntimeGetVersion(&version);
  figures["device"] = name;
  figures["runtime"] = device.runtime.file;
  figures["runtime_version"] = version;
  figures["cores"] = std::thread::hardware_concurrency();
  const Way up = make_way(device, options.bytes, bench::kToHost),
            down = make_way(device, options.bytes, bench::kToDevice);
  figures["slice_bytes"] = kSlice;
  figures["to_host_gbps"] = rate(device, {up}, options.bytes, options.rounds);
  figures["to_device_gbps"] = rate(device, {down}, options.bytes, options.rounds);
  figures["both_gbps_each"] = rate(device, {up, down}, options.bytes, options.rounds);
  for (const int threads : {1, 2, 4, 8})
    figures["memcpy_gbps"][std::to_string(threads)] = memory_rate(threads, options.bytes, options.rounds);
  return figures;
}

}  // namespace gpu
