// MPI ranks; compiled once with each MPI's own compiler wrapper and started by its own mpirun.

#include <mpi.h>

#include <cstring>

#include "bench/compare/core.h"

namespace compare {
namespace {

class Mpi : public Backend {
 public:
  Mpi() {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks_);
  }

  int Rank() const override { return rank_; }
  int Ranks() const override { return ranks_; }

  // MPI_Bcast works in place: the root's data are put where it reads them, once and outside the clock.
  void Prepare(const Request& r) override {
    if (r.collective == Collective::kBroadcast && rank_ == 0) std::memcpy(r.recv, r.send, r.count * sizeof(float));
  }

  void Run(const Request& r) override {
    if (Call(r) != MPI_SUCCESS) Fail("the MPI call failed");
  }

 private:
  int Call(const Request& r) {
    const int count = static_cast<int>(r.count);
    const int block = static_cast<int>(r.block);
    switch (r.collective) {
      case Collective::kAllreduce: return MPI_Allreduce(r.send, r.recv, count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
      case Collective::kAllgather:
        return MPI_Allgather(r.send, block, MPI_FLOAT, r.recv, block, MPI_FLOAT, MPI_COMM_WORLD);
      case Collective::kReduceScatter:
        return MPI_Reduce_scatter_block(r.send, r.recv, block, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
      case Collective::kBroadcast: return MPI_Bcast(r.recv, count, MPI_FLOAT, 0, MPI_COMM_WORLD);
      case Collective::kAlltoall:
        return MPI_Alltoall(r.send, block, MPI_FLOAT, r.recv, block, MPI_FLOAT, MPI_COMM_WORLD);
      case Collective::kReduce: return MPI_Reduce(r.send, r.recv, count, MPI_FLOAT, MPI_SUM, 0, MPI_COMM_WORLD);
    }
    return MPI_ERR_OP;
  }

  int rank_ = 0;
  int ranks_ = 0;
};

}  // namespace
}  // namespace compare

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int status = 0;
  {
    compare::Mpi mpi;
    status = compare::RunRank(mpi, argc, argv);
  }
  MPI_Finalize();
  return status;
}
