#pragma once

// What a collective must produce, computed plainly from the definition. Inputs are a function of (seed, rank, element),
// small integers that every type holds exactly and whose sums and products over 8 ranks stay exact.

#include <nccl.h>

#include <cstdint>
#include <vector>

#include "support/values.h"

namespace support {

enum class Call { kAllReduce, kReduce, kBroadcast, kReduceScatter, kAllGather, kAllToAll, kGather, kScatter };
inline constexpr Call kCalls[] = {Call::kAllReduce, Call::kReduce,   Call::kBroadcast, Call::kReduceScatter,
                                  Call::kAllGather, Call::kAllToAll, Call::kGather,    Call::kScatter};
inline constexpr int kPreMulSum = 5;  // beside ncclSum … ncclAvg

struct Case {
  Call call = Call::kAllReduce;
  ncclDataType_t type = ncclFloat32;
  int op = ncclSum;
  std::size_t count = 0;
  int root = 0;
  int ranks = 1;
  bool in_place = false;
  std::uint64_t seed = 0;
};

const char* name_of(Call call);
bool reduces(Call call);
double scalar_of(const Case& c, int rank);                   // premulsum's own scalar of a rank
double input(const Case& c, int rank, std::size_t element);  // element of a rank's send buffer
std::size_t send_elements(const Case& c, int rank);
std::size_t receive_elements(const Case& c, int rank);          // 0: the rank's receive buffer is untouched
double expected(const Case& c, int rank, std::size_t element);  // element of a rank's receive buffer
bool close(const Case& c, double got, double want);             // exact, but for float avg: 2 ulp

}  // namespace support
