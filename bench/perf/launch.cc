#include "launch.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "failure.h"

namespace perf {
namespace {

struct Launcher {
  const char *name, *rank, *size, *local_size, *job;
};

constexpr Launcher kLaunchers[] = {{"torchrun", "RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "TORCHELASTIC_RUN_ID"},
                                   {"Open MPI's mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
                                    "OMPI_COMM_WORLD_LOCAL_SIZE", "PMIX_NAMESPACE"},
                                   {"mpirun (PMI)", "PMI_RANK", "PMI_SIZE", "MPI_LOCALNRANKS", "PMI_JOBID"},
                                   {"srun", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_NTASKS_PER_NODE", "SLURM_JOB_ID"}};

std::optional<int> number(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return std::nullopt;
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  if (*end != '\0' || value < 0 || value > 1 << 24) return std::nullopt;
  return static_cast<int>(value);
}

const Launcher* launcher_of(const World& world) {
  for (const Launcher& launcher : kLaunchers)
    if (world.launcher == launcher.name) return &launcher;
  return nullptr;
}

// Descriptor of a process that we started ourselves, or nothing.
std::optional<int> own_descriptor(World* world) {
  const char* text = std::getenv(kProcessVariable);
  int descriptor = -1;
  if (text == nullptr || std::sscanf(text, "%d/%d/%d", &world->rank, &world->size, &descriptor) != 3)
    return std::nullopt;
  world->launcher = "this program (--ranks)";
  return descriptor;
}

void point_at_master() {
  const char* address = std::getenv("MASTER_ADDR");
  const std::optional<int> port = number("MASTER_PORT");
  if (std::getenv("NCCL_COMM_ID") != nullptr || address == nullptr || !port) return;
  const bool is_ipv6 = std::strchr(address, ':') != nullptr;
  const std::string host = is_ipv6 ? "[" + std::string(address) + "]" : address;
  setenv("NCCL_COMM_ID", (host + ":" + std::to_string(*port + 1)).c_str(), 0);
}

ncclUniqueId create_id() {
  ncclUniqueId id;
  check(ncclGetUniqueId(&id), "ncclGetUniqueId");
  return id;
}

Invitation share_through_file(const World& world) {
  const Launcher& launcher = *launcher_of(world);
  const std::optional<int> local = number(launcher.local_size);
  if (local && *local < world.size)
    throw Failure(
        "processes on several hosts need NCCL_COMM_ID=host:port of rank 0 (or MASTER_ADDR and MASTER_PORT), and the "
        "same "
        "AMALGAM_SECRET everywhere");
  const char* job = std::getenv(launcher.job);
  auto file = std::make_unique<IdFile>(job != nullptr ? job : "");
  if (world.rank != 0) return {file->wait(), nullptr};
  const ncclUniqueId id = create_id();
  file->write(id);
  return {id, std::move(file)};
}

}  // namespace

std::optional<World> world_from_environment() {
  World world;
  if (own_descriptor(&world)) return world;
  for (const Launcher& launcher : kLaunchers) {
    const std::optional<int> rank = number(launcher.rank), size = number(launcher.size);
    if (!rank || !size || *size < 2) continue;
    if (*rank >= *size)
      throw Failure(std::string(launcher.rank) + " is " + std::to_string(*rank) + " of " + launcher.size + " " +
                    std::to_string(*size));
    return World{*rank, *size, launcher.name};
  }
  return std::nullopt;
}

Invitation share_unique_id(const World& world) {
  World own;
  if (const std::optional<int> descriptor = own_descriptor(&own)) {
    if (world.rank != 0) return {take_id(*descriptor), nullptr};
    const ncclUniqueId id = create_id();
    hand_out_id(*descriptor, id);
    return {id, nullptr};
  }
  if (world.size == 1) return {create_id(), nullptr};
  point_at_master();
  if (std::getenv("NCCL_COMM_ID") != nullptr) return {create_id(), nullptr};  // every rank derives the same one
  return share_through_file(world);
}

}  // namespace perf
