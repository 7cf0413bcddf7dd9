// Graphs: a communicator of one vendor is captured and replayed with new data; one that mixes devices and CPU ranks
// refuses the call with a text and leaves the capture alone.

#include <atomic>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "probe.h"

namespace gpu {
namespace {

constexpr std::size_t kBytes = 1 << 20;
constexpr int kReplays = 50;

class Captured {
 public:
  Captured(const Device& device, bench::Stream stream, const std::function<void()>& calls) : runtime_(device.runtime) {
    bench::Graph graph = nullptr;
    bench::check(runtime_, runtime_.StreamBeginCapture(stream, 0), "StreamBeginCapture");
    calls();
    bench::check(runtime_, runtime_.StreamEndCapture(stream, &graph), "StreamEndCapture");
    bench::check(runtime_, runtime_.GraphInstantiateWithFlags(&ready_, graph, 0), "GraphInstantiateWithFlags");
    bench::check(runtime_, runtime_.GraphDestroy(graph), "GraphDestroy");
  }
  void replay(bench::Stream stream) const {
    bench::check(runtime_, runtime_.GraphLaunch(ready_, stream), "GraphLaunch");
  }

 private:
  const bench::Runtime& runtime_;
  bench::GraphExec ready_ = nullptr;
};

Figures single(const Device& device) {
  ncclUniqueId id;
  ncclComm_t comm = nullptr;
  check(ncclGetUniqueId(&id), "ncclGetUniqueId");
  check(ncclCommInitRank(&comm, 1, id, 0), "ncclCommInitRank");
  const bench::Stream stream = device.make_stream();
  void *in = device.allocate(kBytes), *out = device.allocate(kBytes);
  std::vector<double> times;
  {
    const Captured graph(device, stream, [&] {
      check(ncclAllReduce(in, out, kBytes / sizeof(std::int32_t), ncclInt32, ncclSum, comm, stream), "ncclAllReduce");
    });
    std::vector<unsigned char> got(kBytes);
    for (int replay = 0; replay < kReplays; ++replay) {
      device.fill(in, replay + 1, kBytes, stream);
      device.wait(stream);
      const double begin = now_us();
      graph.replay(stream);
      device.wait(stream);
      times.push_back(now_us() - begin);
      device.copy(got.data(), out, kBytes, bench::kToHost, stream);
      device.wait(stream);
      if (got.front() != replay + 1 || got.back() != replay + 1) throw std::runtime_error("a replay gave old data");
    }
  }
  check(ncclCommDestroy(comm), "ncclCommDestroy");
  return {{"replays", kReplays}, {"bytes", kBytes}, {"replay_us", median(times)}};
}

// Whatever the answer to the captured call is, the communicator must work afterwards.
Figures mixed(const Device& device) {
  Figures figures;
  beside_a_cpu_rank(
      [&](const Member& me) {
        const bench::Stream stream = device.make_stream();
        void* data = device.allocate(sizeof(float));
        bench::Graph graph = nullptr;
        bench::check(device.runtime, device.runtime.StreamBeginCapture(stream, 0), "StreamBeginCapture");
        const ncclResult_t answer = ncclAllReduce(data, data, 1, ncclFloat, ncclSum, me.comm, stream);
        figures["captured_call"] = answer == ncclSuccess ? "taken" : ncclGetLastError(nullptr);
        const int ended = device.runtime.StreamEndCapture(stream, &graph);
        figures["capture_after_it"] = ended == 0 ? "intact" : "error " + std::to_string(ended);
        if (answer == ncclSuccess)
          throw std::runtime_error("a mixed capture was taken: this step does not replay it yet");
        device.fill(data, 0, sizeof(float), stream);
        check(ncclAllReduce(data, data, 1, ncclFloat, ncclSum, me.comm, stream), "ncclAllReduce");
        float got = 0;
        device.copy(&got, data, sizeof(got), bench::kToHost, stream);
        device.wait(stream);
        if (got != 1) throw std::runtime_error("the call after the capture gave wrong data");
        check(ncclCommDestroy(me.comm), "ncclCommDestroy");
      },
      [&](const Member& me) {
        float one = 1;
        check(ncclAllReduce(&one, &one, 1, ncclFloat, ncclSum, me.comm, nullptr), "ncclAllReduce");
        check(ncclCommDestroy(me.comm), "ncclCommDestroy");
      });
  return figures;
}

}  // namespace

Figures graphs(const Options& options) {
  const Device device(options);
  Figures figures;
  figures["single"] = single(device);
  figures["mixed"] = mixed(device);
  return figures;
}

}  // namespace gpu
