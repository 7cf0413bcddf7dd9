// AMALGAM_FP32_WIRE through the library. meson.build runs this once per family that rounds at every hop, with the
// setting, and once without it: then the same data must show the rounding.
//
// The data are such that sums and products are exact in fp32 in any order: one rounding is one value for every plan.

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <string>

#include "support/harness.h"

namespace {

using support::Call;
using support::Rank;

constexpr ncclDataType_t kNarrow[] = {ncclFloat16, ncclBfloat16, ncclFloat8e4m3, ncclFloat8e5m2};
constexpr Call kReductions[] = {Call::kAllReduce, Call::kReduce, Call::kReduceScatter};

bool carried() { return std::getenv("AMALGAM_FP32_WIRE") != nullptr; }

// Whether AMALGAM_FAMILY has a plan for the call. Other calls get the planner's choice, which may fold in one place and
// round each premultiplied input (docs/numerics.md §4): that is one rounding for all operations but this one.
bool forced(Call call) {
  static const std::map<std::string, std::set<Call>> families = {{"ring", {Call::kAllReduce, Call::kReduceScatter}},
                                                                 {"tree", {Call::kAllReduce, Call::kReduce}},
                                                                 {"doubling", {Call::kAllReduce}},
                                                                 {"chain", {Call::kReduce}},
                                                                 {"pairwise", {Call::kReduceScatter}}};
  return families.at(std::getenv("AMALGAM_FAMILY")).contains(call);
}

double scalar(int rank) { return 1.25 + 0.5 * (rank % 2); }

// As many significant bits as the type has; three of them for products, so that five fit in fp32.
double datum(const support::Case& c, int rank, std::size_t element) {
  const int bits = c.op == ncclProd ? 3 : support::format_of(c.type).mantissa_bits + 1;
  const std::uint64_t random = (element * 64 + static_cast<std::size_t>(rank) + c.seed) * 0x9e3779b97f4a7c15ULL >> 32;
  const std::uint64_t top = 1U << (bits - 1);
  const int exponent = c.op == ncclProd ? 0 : static_cast<int>(random % 6) - 2;
  const double value = std::ldexp(static_cast<double>(top + (random >> 4) % top), exponent - bits + 1);
  return (random >> 20) % 2 == 0 ? value : -value;
}

std::uint32_t rounded_once(const support::Case& c, std::size_t element) {
  double total = c.op == ncclProd ? 1 : 0;
  for (int rank = 0; rank < c.ranks; ++rank) {
    const double value = datum(c, rank, element) * (c.op == support::kPreMulSum ? scalar(rank) : 1);
    total = c.op == ncclProd ? total * value : total + value;
  }
  if (c.op == ncclAvg) total = static_cast<float>(total) / static_cast<float>(c.ranks);
  return support::encode_small(total, support::format_of(c.type));
}

support::Buffers fill(const support::Case& c, int rank) {
  support::Buffers buffers(c, rank);
  for (std::size_t i = 0; i < support::send_elements(c, rank); ++i)
    support::store(buffers.send + i * support::size_of(c.type), c.type, datum(c, rank, i));
  return buffers;
}

// Elements that are not what one rounding gives.
std::size_t wrong(const support::Buffers& buffers) {
  const support::Case& c = buffers.what;
  const std::size_t size = support::size_of(c.type);
  const std::size_t first = c.call == Call::kReduceScatter ? static_cast<std::size_t>(buffers.rank) * c.count : 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < support::receive_elements(c, buffers.rank); ++i) {
    std::uint32_t got = 0;
    std::memcpy(&got, buffers.receive + i * size, size);
    count += got != rounded_once(c, first + i);
  }
  return count;
}

std::size_t run(const Rank& self, const support::Case& c) {
  const support::Buffers buffers = fill(c, self.rank);
  ncclRedOp_t op = static_cast<ncclRedOp_t>(c.op);
  unsigned char factor[8] = {};
  support::store(factor, c.type, scalar(self.rank));
  const bool scaled = c.op == support::kPreMulSum;
  if (scaled) {
    EXPECT_EQ(ncclRedOpCreatePreMulSum(&op, factor, c.type, ncclScalarHostImmediate, self.comm), ncclSuccess);
  }
  EXPECT_EQ(support::issue(c, buffers, op, self.comm), ncclSuccess) << ncclGetLastError(nullptr);
  if (scaled) {
    EXPECT_EQ(ncclRedOpDestroy(op, self.comm), ncclSuccess);
  }
  return wrong(buffers);
}

TEST(Fp32Wire, RoundsOnceWhereItIsSet) {
  for (int ranks : {2, 5}) {
    support::run_ranks(ranks, [](const Rank& self) {
      std::size_t all = 0;
      for (Call call : kReductions)
        for (ncclDataType_t type : kNarrow)
          for (int op :
               {static_cast<int>(ncclSum), static_cast<int>(ncclProd), static_cast<int>(ncclAvg), support::kPreMulSum})
            for (std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{259}})
              for (bool in_place : {false, true}) {
                const support::Case c{call, type, op, count, self.ranks - 1, self.ranks, in_place, 5 * count};
                const std::size_t differing = run(self, c);
                all += differing;
                if (carried() && (op != support::kPreMulSum || forced(call))) {
                  EXPECT_EQ(differing, 0U) << support::name_of(call) << " type " << type << " op " << op << " ranks "
                                           << self.ranks << " count " << count << " in place " << in_place;
                }
              }
      if (!carried()) {
        EXPECT_GT(all, 0U) << self.ranks << " ranks";
      }
    });
  }
}

TEST(Fp32Wire, LeavesOtherTypesAndOperationsAsTheyAre) {
  support::run_ranks(3, [](const Rank& self) {
    for (Call call : kReductions)
      for (int type = 0; type < 12; ++type)
        for (int op : {static_cast<int>(ncclSum), static_cast<int>(ncclMax), static_cast<int>(ncclMin)})
          support::run_case(self, {call, static_cast<ncclDataType_t>(type), op, 301, 1, self.ranks, false, 9});
  });
}

TEST(Fp32Wire, PassesABitPatternOfOneRankThrough) {
  support::run_ranks(1, [](const Rank& self) {
    const std::uint16_t in[] = {0x7d01, 0xfe02, 0x0001, 0x3c00};  // half: two NaN with payloads among them
    std::uint16_t out[4] = {};
    NCCL_OK(ncclAllReduce(in, out, 4, ncclFloat16, ncclAvg, self.comm, nullptr));
    EXPECT_EQ(std::memcmp(in, out, sizeof(in)), 0);
  });
}

TEST(Fp32Wire, WorksInAGroupWhereOneCallReadsWhatAnotherWrote) {
  support::run_ranks(3, [](const Rank& self) {
    const support::Case c{Call::kAllReduce, ncclBfloat16, ncclSum, 9'003, 0, self.ranks, false, 1};
    const support::Buffers first = fill(c, self.rank);
    std::vector<std::uint16_t> again(c.count), halves(c.count, 0x3c00), sums(c.count);
    NCCL_OK(ncclGroupStart());
    NCCL_OK(support::issue(c, first, ncclSum, self.comm));
    NCCL_OK(ncclAllReduce(halves.data(), sums.data(), c.count, ncclFloat16, ncclSum, self.comm, nullptr));
    NCCL_OK(ncclAllReduce(first.receive, again.data(), c.count, ncclBfloat16, ncclAvg, self.comm, nullptr));
    NCCL_OK(ncclGroupEnd());
    if (carried()) {
      EXPECT_EQ(wrong(first), 0U);
      EXPECT_EQ(std::memcmp(again.data(), first.receive, c.count * 2), 0) << "the average of equals";
    }
    for (std::uint16_t sum : sums) ASSERT_EQ(sum, 0x4200);
  });
}

TEST(Fp32Wire, WorksBehindANonBlockingCommunicator) {
  support::run_nonblocking_ranks(3, [](const Rank& self) {
    const support::Case c{Call::kReduceScatter, ncclFloat16, ncclAvg, 9'003, 0, self.ranks, true, 2};
    const support::Buffers buffers = fill(c, self.rank);
    const ncclResult_t issued = support::issue(c, buffers, ncclAvg, self.comm);
    ASSERT_TRUE(issued == ncclInProgress || issued == ncclSuccess);
    ASSERT_EQ(support::settle(self.comm), ncclSuccess);
    if (carried()) {
      EXPECT_EQ(wrong(buffers), 0U);
    }
  });
}

}  // namespace
