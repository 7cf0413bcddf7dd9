// Amalgam's ranks. run.py starts them; rank 0 leaves the unique id in COMPARE_MEET/id.
// COMPARE_MEMORY=nccl takes the buffers from ncclMemAlloc, otherwise they are malloc's.

#include <unistd.h>

#include <cstdio>

#include "bench/compare/core.h"
#include "nccl.h"

namespace compare {
namespace {

void Check(ncclResult_t result, const char* call) {
  if (result == ncclSuccess) return;
  Fail(std::string(call) + ": " + ncclGetErrorString(result) + ": " + ncclGetLastError(nullptr));
}

ncclUniqueId MeetThroughFile(int rank) {
  const std::string path = TextFromEnvironment("COMPARE_MEET", ".") + "/id";
  ncclUniqueId id;
  if (rank == 0) {
    Check(ncclGetUniqueId(&id), "ncclGetUniqueId");
    std::FILE* file = std::fopen((path + ".new").c_str(), "wb");
    if (file == nullptr || std::fwrite(&id, sizeof id, 1, file) != 1) Fail("cannot write " + path);
    std::fclose(file);
    if (std::rename((path + ".new").c_str(), path.c_str()) != 0) Fail("cannot write " + path);
    return id;
  }
  for (;;) {  // run.py's time limit ends this
    if (std::FILE* file = std::fopen(path.c_str(), "rb")) {
      const bool whole = std::fread(&id, sizeof id, 1, file) == 1;
      std::fclose(file);
      if (whole) return id;
    }
    usleep(1000);
  }
}

class Amalgam : public Backend {
 public:
  Amalgam() : rank_(NumberFromEnvironment("COMPARE_RANK")), ranks_(NumberFromEnvironment("COMPARE_RANKS")) {
    Check(ncclCommInitRank(&comm_, ranks_, MeetThroughFile(rank_), rank_), "ncclCommInitRank");
  }
  ~Amalgam() override { ncclCommDestroy(comm_); }

  int Rank() const override { return rank_; }
  int Ranks() const override { return ranks_; }

  float* Allocate(size_t bytes) override {
    if (TextFromEnvironment("COMPARE_MEMORY", "malloc") != "nccl") return Backend::Allocate(bytes);
    void* memory = nullptr;
    Check(ncclMemAlloc(&memory, bytes), "ncclMemAlloc");
    return static_cast<float*>(memory);
  }

  void Run(const Request& r) override { Check(Call(r), "collective"); }

 private:
  ncclResult_t Call(const Request& r) {
    switch (r.collective) {
      case Collective::kAllreduce: return ncclAllReduce(r.send, r.recv, r.count, ncclFloat, ncclSum, comm_, nullptr);
      case Collective::kAllgather: return ncclAllGather(r.send, r.recv, r.block, ncclFloat, comm_, nullptr);
      case Collective::kReduceScatter:
        return ncclReduceScatter(r.send, r.recv, r.block, ncclFloat, ncclSum, comm_, nullptr);
      case Collective::kBroadcast: return ncclBroadcast(r.send, r.recv, r.count, ncclFloat, 0, comm_, nullptr);
      case Collective::kAlltoall: return ncclAlltoAll(r.send, r.recv, r.block, ncclFloat, comm_, nullptr);
      case Collective::kReduce: return ncclReduce(r.send, r.recv, r.count, ncclFloat, ncclSum, 0, comm_, nullptr);
    }
    return ncclInternalError;
  }

  int rank_;
  int ranks_;
  ncclComm_t comm_ = nullptr;
};

}  // namespace
}  // namespace compare

int main(int argc, char** argv) {
  compare::Amalgam amalgam;
  return compare::RunRank(amalgam, argc, argv);
}
