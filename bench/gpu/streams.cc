// Many streams: a device rank calls on 32 streams and on the null stream while its peer, a CPU rank, has not entered
// anything, so that every stream is parked. Then the peer comes. Everything must end, with right data: nothing that the
// library does may need a channel that a parked stream holds.

#include <atomic>
#include <stdexcept>
#include <thread>

#include "probe.h"

namespace gpu {
namespace {

constexpr int kStreams = 32, kRounds = 4;
constexpr std::size_t kElements = 100'000, kBytes = kElements * sizeof(std::int32_t);
constexpr std::int32_t kOnes = 0x01010101;  // what a fill by 1 makes of an integer

struct Slot {
  bench::Stream stream;
  void* data;
};

std::vector<Slot> make_slots(const Device& device) {
  std::vector<Slot> slots;
  for (int i = 0; i <= kStreams; ++i)  // the last is the null stream
    slots.push_back({i < kStreams ? device.make_stream() : nullptr, device.allocate(kBytes)});
  return slots;
}

bool right(const Device& device, const Slot& slot, std::int32_t expected) {
  std::vector<std::int32_t> got(kElements);
  device.copy(got.data(), slot.data, kBytes, bench::kToHost, slot.stream);
  device.wait(slot.stream);
  return std::all_of(got.begin(), got.end(), [&](std::int32_t each) { return each == expected; });
}

}  // namespace

Figures streams(const Options& options) {
  const Device device(options);
  std::atomic<int> parked{0};
  std::vector<double> times;
  beside_a_cpu_rank(
      [&](const Member& me) {
        const std::vector<Slot> slots = make_slots(device);
        for (int round = 1; round <= kRounds; ++round) {
          for (const Slot& slot : slots) {
            device.fill(slot.data, round, kBytes, slot.stream);
            check(ncclAllReduce(slot.data, slot.data, kElements, ncclInt32, ncclSum, me.comm, slot.stream),
                  "ncclAllReduce");
          }
          const double begin = now_us();
          parked = round;
          for (const Slot& slot : slots)
            if (!right(device, slot, round * kOnes + round)) throw std::runtime_error("wrong data on a stream");
          times.push_back((now_us() - begin) / (kStreams + 1));
        }
        check(ncclCommDestroy(me.comm), "ncclCommDestroy");
      },
      [&](const Member& me) {
        for (int round = 1; round <= kRounds; ++round) {
          while (parked < round) std::this_thread::yield();
          std::vector<std::int32_t> data;
          for (int i = 0; i <= kStreams; ++i) {
            data.assign(kElements, round);
            check(ncclAllReduce(data.data(), data.data(), kElements, ncclInt32, ncclSum, me.comm, nullptr),
                  "ncclAllReduce");
          }
        }
        check(ncclCommDestroy(me.comm), "ncclCommDestroy");
      });
  return {{"streams", kStreams + 1}, {"rounds", kRounds}, {"bytes", kBytes}, {"us_per_call", median(times)}};
}

}  // namespace gpu
