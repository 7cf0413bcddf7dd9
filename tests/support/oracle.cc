#include "support/oracle.h"

namespace support {
namespace {

std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 31;
  x *= 0x7fb5d329728ea185ULL;
  x ^= x >> 27;
  x *= 0x81dadef4bc2dd44dULL;
  return x ^ (x >> 33);
}

double combine(int op, double a, double b) {
  switch (op) {
    case ncclProd: return a * b;
    case ncclMax: return a > b ? a : b;
    case ncclMin: return a < b ? a : b;
    default: return a + b;
  }
}

double reduced(const Case& c, std::size_t element) {
  double total = input(c, 0, element) * (c.op == kPreMulSum ? scalar_of(c, 0) : 1);
  for (int rank = 1; rank < c.ranks; ++rank)
    total = combine(c.op, total, input(c, rank, element) * (c.op == kPreMulSum ? scalar_of(c, rank) : 1));
  if (c.op != ncclAvg) return total;
  return is_float(c.type) ? total / c.ranks : static_cast<double>(static_cast<std::int64_t>(total) / c.ranks);
}

}  // namespace

const char* name_of(Call call) {
  static const char* const names[] = {"allreduce", "reduce",   "broadcast", "reducescatter",
                                      "allgather", "alltoall", "gather",    "scatter"};
  return names[static_cast<int>(call)];
}

bool reduces(Call call) { return call == Call::kAllReduce || call == Call::kReduce || call == Call::kReduceScatter; }

double scalar_of(const Case& c, int rank) {
  return 1 + static_cast<double>(mix(c.seed + static_cast<std::uint64_t>(rank)) % 2);
}

double input(const Case& c, int rank, std::size_t element) {
  const std::uint64_t random = mix(c.seed * 1000003 + static_cast<std::uint64_t>(rank) * 7919 + element);
  if (!reduces(c.call)) return static_cast<double>(random % 8);
  if (c.op == ncclProd) return rank % 2 == 0 ? 1 + static_cast<double>(random % 2) : 1;  // 2^4 fits every type
  if (c.op == ncclMax || c.op == ncclMin) return static_cast<double>(random % 8);
  // e5m2 holds integers up to 8 only: of each four ranks one contributes, so that sums of scaled values stay there.
  if (c.op == kPreMulSum) return (element + static_cast<std::size_t>(rank)) % 4 == 0 ? 1 : 0;
  return static_cast<double>(random % 2);
}

std::size_t send_elements(const Case& c, int rank) {
  const auto ranks = static_cast<std::size_t>(c.ranks);
  switch (c.call) {
    case Call::kReduceScatter:
    case Call::kAllToAll: return c.count * ranks;
    case Call::kScatter: return rank == c.root ? c.count * ranks : 0;
    case Call::kBroadcast: return rank == c.root ? c.count : 0;
    default: return c.count;
  }
}

std::size_t receive_elements(const Case& c, int rank) {
  const auto ranks = static_cast<std::size_t>(c.ranks);
  switch (c.call) {
    case Call::kAllGather:
    case Call::kAllToAll: return c.count * ranks;
    case Call::kGather: return rank == c.root ? c.count * ranks : 0;
    case Call::kReduce: return rank == c.root ? c.count : 0;
    default: return c.count;
  }
}

double expected(const Case& c, int rank, std::size_t element) {
  const auto block = static_cast<int>(c.count == 0 ? 0 : element / c.count);
  const std::size_t within = c.count == 0 ? 0 : element % c.count;
  const std::size_t own = static_cast<std::size_t>(rank) * c.count;
  switch (c.call) {
    case Call::kAllReduce:
    case Call::kReduce: return reduced(c, element);
    case Call::kReduceScatter: return reduced(c, own + element);
    case Call::kBroadcast: return input(c, c.root, element);
    case Call::kAllGather:
    case Call::kGather: return input(c, block, within);
    case Call::kAllToAll: return input(c, block, own + within);
    case Call::kScatter: return input(c, c.root, own + element);
  }
  return 0;
}

bool close(const Case& c, double got, double want) {
  if (c.op == ncclAvg && is_float(c.type) && reduces(c.call)) return std::fabs(got - want) <= 2 * ulp(want, c.type);
  return got == want;
}

}  // namespace support
