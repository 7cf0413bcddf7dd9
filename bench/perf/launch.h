#pragma once

// Where this process stands among the others, and the unique id that joins them. In this order:
//
//   started by ourselves (--ranks)     rank, size and pipes in PERF_PROCESS; the id goes from rank 0 through the parent
//   torchrun                           RANK, WORLD_SIZE
//   Open MPI, MPICH and its kin, srun  OMPI_COMM_WORLD_RANK/SIZE; PMI_RANK/SIZE; SLURM_PROCID/NTASKS
//
// Under a launcher the id comes from NCCL_COMM_ID, else from MASTER_ADDR:(MASTER_PORT + 1), which is set as
// NCCL_COMM_ID; off loopback both need the same AMALGAM_SECRET on all ranks. Without either all processes must be on
// this host: rank 0 leaves the id in a private file (id_file.h).
//
// Errors     Failure      Threads  main only, before others exist

#include <nccl.h>

#include <memory>
#include <optional>
#include <string>

#include "id_file.h"

namespace perf {

struct World {
  int rank = 0;  // of this process
  int size = 1;  // processes
  std::string launcher = "one process";
};

// Empty when nobody started us as one of several.
std::optional<World> world_from_environment();

// The id that all processes of `world` share; to be kept until all have joined.
struct Invitation {
  ncclUniqueId id;
  std::unique_ptr<IdFile> file;  // rank 0's, where it goes by a file
};
Invitation share_unique_id(const World& world);

// Starts `processes` copies of this program and waits for them. The first that fails ends the run. Returns its exit
// code.
int run_processes(int processes, char** argv, const char* program);

// Of a process that run_processes started.
inline constexpr const char* kProcessVariable = "PERF_PROCESS";  // "rank/size/descriptor"
void hand_out_id(int descriptor, const ncclUniqueId& id);        // rank 0, to the parent
ncclUniqueId take_id(int descriptor);                            // others, from the parent

}  // namespace perf
