// Gloo's ranks over its TCP transport on the loopback interface (Debian's build has no shared-memory transport).
// COMPARE_GLOO picks the allreduce: ring, bcube (new interface), halving_doubling or ring_chunked (old interface).
// Old-style algorithms work in place and are bound to a buffer when made: the input is copied there once, unmeasured.

#include <gloo/allgather.h>
#include <gloo/allreduce.h>
#include <gloo/allreduce_halving_doubling.h>
#include <gloo/allreduce_ring_chunked.h>
#include <gloo/alltoall.h>
#include <gloo/broadcast.h>
#include <gloo/math.h>
#include <gloo/reduce.h>
#include <gloo/reduce_scatter.h>
#include <gloo/rendezvous/context.h>
#include <gloo/rendezvous/file_store.h>
#include <gloo/transport/tcp/device.h>

#include <cstring>
#include <exception>
#include <memory>
#include <vector>

#include "bench/compare/core.h"

namespace compare {
namespace {

using SumFunction = void (*)(void*, const void*, const void*, size_t);

class Gloo : public Backend {
 public:
  Gloo() : rank_(NumberFromEnvironment("COMPARE_RANK")), ranks_(NumberFromEnvironment("COMPARE_RANKS")) {
    gloo::transport::tcp::attr where("127.0.0.1");
    auto device = gloo::transport::tcp::CreateDevice(where);
    gloo::rendezvous::FileStore store(TextFromEnvironment("COMPARE_MEET", "."));
    auto context = std::make_shared<gloo::rendezvous::Context>(rank_, ranks_);
    context->connectFullMesh(store, device);
    context_ = context;
  }

  int Rank() const override { return rank_; }
  int Ranks() const override { return ranks_; }

  void Prepare(const Request& r) override {
    bound_.reset();
    if (r.collective == Collective::kReduceScatter) {
      std::memcpy(r.recv, r.send, r.count * sizeof(float));
      bound_ = std::make_unique<gloo::ReduceScatterHalvingDoubling<float>>(
          context_, std::vector<float*>{r.recv}, static_cast<int>(r.count),
          std::vector<int>(ranks_, static_cast<int>(r.block)));
    } else if (r.collective == Collective::kAllreduce && IsOldStyle()) {
      std::memcpy(r.recv, r.send, r.count * sizeof(float));
      const std::vector<float*> buffers{r.recv};
      const int count = static_cast<int>(r.count);
      if (algorithm_ == "ring_chunked") {
        bound_ = std::make_unique<gloo::AllreduceRingChunked<float>>(context_, buffers, count);
      } else {
        bound_ = std::make_unique<gloo::AllreduceHalvingDoubling<float>>(context_, buffers, count);
      }
    }
  }

  void Run(const Request& r) override {
    if (bound_ != nullptr) return bound_->run();
    switch (r.collective) {
      case Collective::kAllreduce: return Allreduce(r);
      case Collective::kReduce: return Reduce(r);
      case Collective::kAllgather: {
        gloo::AllgatherOptions options(context_);
        options.setInput(r.send, r.block);
        options.setOutput(r.recv, r.count);
        return gloo::allgather(options);
      }
      case Collective::kAlltoall: {
        gloo::AlltoallOptions options(context_);
        options.setInput(r.send, r.count);
        options.setOutput(r.recv, r.count);
        return gloo::alltoall(options);
      }
      default: return Broadcast(r);
    }
  }

 private:
  bool IsOldStyle() const { return algorithm_ == "halving_doubling" || algorithm_ == "ring_chunked"; }

  void Allreduce(const Request& r) {
    gloo::AllreduceOptions options(context_);
    options.setAlgorithm(algorithm_ == "bcube" ? gloo::AllreduceOptions::Algorithm::BCUBE
                                               : gloo::AllreduceOptions::Algorithm::RING);
    options.setInput(r.send, r.count);
    options.setOutput(r.recv, r.count);
    options.setReduceFunction(static_cast<SumFunction>(&gloo::sum<float>));
    gloo::allreduce(options);
  }

  void Reduce(const Request& r) {
    gloo::ReduceOptions options(context_);
    options.setInput(r.send, r.count);
    options.setOutput(r.recv, r.count);
    options.setRoot(0);
    options.setReduceFunction(static_cast<SumFunction>(&gloo::sum<float>));
    gloo::reduce(options);
  }

  void Broadcast(const Request& r) {
    gloo::BroadcastOptions options(context_);
    if (rank_ == 0) options.setInput(r.send, r.count);
    options.setOutput(r.recv, r.count);
    options.setRoot(0);
    gloo::broadcast(options);
  }

  int rank_;
  int ranks_;
  std::string algorithm_ = TextFromEnvironment("COMPARE_GLOO", "ring");
  std::shared_ptr<gloo::Context> context_;
  std::unique_ptr<gloo::Algorithm> bound_;
};

}  // namespace
}  // namespace compare

int main(int argc, char** argv) {
  try {
    compare::Gloo gloo;
    return compare::RunRank(gloo, argc, argv);
  } catch (const std::exception& error) {
    compare::Fail(error.what());
  }
}
