#pragma once

// What makes one …_perf program different from the others: which buffers a collective has, how it is called, what must
// be in the receive buffer afterwards, and how its bandwidth counts. Each program defines one of these and calls
// perf_main.

#include <amalgam/amalgam.h>
#include <nccl.h>

#include <cstddef>
#include <vector>

namespace perf {

struct Call {  // one rank's call
  const void* send;
  void* receive;
  std::size_t count;
  ncclDataType_t type;
  ncclRedOp_t op;
  int root, rank, ranks;
  ncclComm_t comm;
  cudaStream_t stream;  // null on CPU ranks
};

// Elements [to, to + count) of the receive buffer must be those of `source`'s input from `start` on.
struct Piece {
  static constexpr int kReduced = -1;  // as source: the reduction of all inputs
  std::size_t to, count;
  int source;
  std::size_t start;
};

struct Place {  // who asks for its pieces
  int rank, root, ranks;
  std::size_t count;
};

enum class Blocks { kOne, kPerRank };  // a buffer holds `count` elements, or `count` for each rank

struct Collective {
  const char* program;  // "all_reduce_perf"
  amalgam_collective_t predicted;
  Blocks send = Blocks::kOne, receive = Blocks::kOne;
  bool reduces = false;
  bool rooted = false;
  bool in_place = true;
  double (*bus_factor)(int ranks);  // bus bandwidth = this · algorithm bandwidth
  ncclResult_t (*call)(const Call& call);
  std::vector<Piece> (*expect)(const Place& place);

  bool split() const { return send == Blocks::kPerRank || receive == Blocks::kPerRank; }  // the size is of all blocks
  std::size_t blocks(Blocks of, int ranks) const { return of == Blocks::kOne ? 1 : static_cast<std::size_t>(ranks); }
};

// The usual factors.
inline double factor_one(int) { return 1; }
inline double factor_others(int ranks) { return static_cast<double>(ranks - 1) / ranks; }
inline double factor_twice_others(int ranks) { return 2 * factor_others(ranks); }

// One block per rank, taken from the start of every rank's input: what allgather and gather deliver.
std::vector<Piece> pieces_of_all(const Place& place);

// The whole program. Exit status: 0, 1 (the run failed or data were wrong), 2 (wrong options).
int perf_main(int argc, char** argv, const Collective& collective);

}  // namespace perf
