// What the detour through this library adds to a call that the vendor's library carries: two communicators of one rank,
// one through ours and one the vendor's own, in one process; rounds of both alternate, medians are compared.

#include <dlfcn.h>

#include <stdexcept>

#include "probe.h"

namespace gpu {
namespace {

constexpr int kCalls = 1000, kPerGraph = 100;
constexpr std::size_t kElements = 1024;

using AllReduce = decltype(&ncclAllReduce);

struct Side {
  AllReduce all_reduce;
  ncclComm_t comm;
};

template <typename Function>
Function vendors(void* library, Function, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

Side make_side(decltype(&ncclGetUniqueId) make_id, decltype(&ncclCommInitRank) init, AllReduce all_reduce) {
  ncclUniqueId id;
  Side side{all_reduce, nullptr};
  check(make_id(&id), "ncclGetUniqueId");
  check(init(&side.comm, 1, id, 0), "ncclCommInitRank");
  return side;
}

Side make_vendors_side(const std::string& file) {
  void* library = dlopen(file.c_str(), RTLD_LAZY | RTLD_NOLOAD);  // this library has opened it
  if (library == nullptr) throw std::runtime_error("the communicator is not carried by " + file);
  return make_side(vendors(library, &ncclGetUniqueId, "ncclGetUniqueId"),
                   vendors(library, &ncclCommInitRank, "ncclCommInitRank"),
                   vendors(library, &ncclAllReduce, "ncclAllReduce"));
}

class Comparison {
 public:
  Comparison(const Device& device, Side ours, Side theirs, int rounds)
      : device_(device),
        ours_(ours),
        theirs_(theirs),
        rounds_(rounds),
        stream_(device.make_stream()),
        memory_(device.allocate(kElements * sizeof(float))) {
    device.fill(memory_, 0, kElements * sizeof(float), stream_);
  }

  Figures calls(std::size_t count) {
    return compare([&](const Side& side) {
      const double begin = now_us();
      for (int i = 0; i < kCalls; ++i) call(side, count);
      const double us = now_us() - begin;
      device_.wait(stream_);
      return us / kCalls;
    });
  }

  // A call that is captured; the graph is replayed, too.
  Figures captured() {
    return compare([&](const Side& side) {
      const bench::Runtime& runtime = device_.runtime;
      bench::Graph graph = nullptr;
      bench::GraphExec ready = nullptr;
      bench::check(runtime, runtime.StreamBeginCapture(stream_, 0), "StreamBeginCapture");
      const double begin = now_us();
      for (int i = 0; i < kPerGraph; ++i) call(side, kElements);
      const double us = now_us() - begin;
      bench::check(runtime, runtime.StreamEndCapture(stream_, &graph), "StreamEndCapture");
      bench::check(runtime, runtime.GraphInstantiateWithFlags(&ready, graph, 0), "GraphInstantiateWithFlags");
      bench::check(runtime, runtime.GraphLaunch(ready, stream_), "GraphLaunch");
      device_.wait(stream_);
      bench::check(runtime, runtime.GraphExecDestroy(ready), "GraphExecDestroy");
      bench::check(runtime, runtime.GraphDestroy(graph), "GraphDestroy");
      return us / kPerGraph;
    });
  }

 private:
  void call(const Side& side, std::size_t count) {
    check(side.all_reduce(memory_, memory_, count, ncclFloat, ncclSum, side.comm, stream_), "ncclAllReduce");
  }

  template <typename Measure>
  Figures compare(const Measure& measure) {
    std::vector<double> direct, delegated;
    for (int round = 0; round < rounds_; ++round) {
      direct.push_back(1e3 * measure(theirs_));
      delegated.push_back(1e3 * measure(ours_));
    }
    const double without = median(direct), with = median(delegated);
    return {{"direct_ns", without}, {"delegated_ns", with}, {"added_ns", with - without}};
  }

  const Device& device_;
  Side ours_, theirs_;
  int rounds_;
  bench::Stream stream_;
  void* memory_;
};

}  // namespace

Figures delegation(const Options& options) {
  const Device device(options);
  const Side ours = make_side(ncclGetUniqueId, ncclCommInitRank, ncclAllReduce);
  Comparison comparison(device, ours, make_vendors_side(options.vendor_library), options.rounds);
  Figures figures;
  figures["no_elements"] = comparison.calls(0);
  figures["in_place"] = comparison.calls(kElements);
  figures["captured"] = comparison.captured();
  check(ncclCommDestroy(ours.comm), "ncclCommDestroy");
  return figures;
}

}  // namespace gpu
