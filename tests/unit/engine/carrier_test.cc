// Calls that are carried in fp32: every hop-by-hop family gives the exact result rounded once, and would not without.
//
// The data are such that sums and products of all ranks are exact in fp32 in any order, so one value is right for all
// plans.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cluster/cluster.h"
#include "plan/choose.h"
#include "unit/engine/world.h"
#include "unit/reduce/reference.h"

namespace amalgam::engine {
namespace {

using reduce::reference::Bits;

constexpr std::uint64_t kSeed = 20261126;
constexpr DataType kNarrow[] = {DataType::kFloat16, DataType::kBfloat16, DataType::kFloat8e4m3, DataType::kFloat8e5m2};
constexpr ReduceOp kOps[] = {ReduceOp::kSum, ReduceOp::kProd, ReduceOp::kAvg, ReduceOp::kPreMulSum};
constexpr Collective kReductions[] = {Collective::kAllReduce, Collective::kReduce, Collective::kReduceScatter};
constexpr unsigned char kGuard = 0xa5;

struct Case {
  DataType type = DataType::kFloat16;
  ReduceOp op = ReduceOp::kSum;
  int ranks = 2;
  std::uint64_t count = 0;
  bool in_place = false;
  int root = 0;
};

Bits get(DataType type, const unsigned char* base, std::size_t index) {
  Bits bits = 0;
  std::memcpy(&bits, base + index * size_of(type), size_of(type));
  return bits;
}

void set(DataType type, unsigned char* base, std::size_t index, Bits bits) {
  std::memcpy(base + index * size_of(type), &bits, size_of(type));
}

int significant_bits(DataType type) {
  switch (type) {
    case DataType::kFloat16: return 11;
    case DataType::kBfloat16: return 8;
    case DataType::kFloat8e4m3: return 4;
    default: return 3;
  }
}

double largest_of(DataType type) {
  switch (type) {
    case DataType::kFloat16: return 65504;
    case DataType::kBfloat16: return std::ldexp(1.0, 100);  // larger ones overflow in fp32 too
    case DataType::kFloat8e4m3: return 448;
    default: return 57344;
  }
}

// Kind 0: the largest number twice and its opposite, which overflow on the way. 1: a NaN. 2: an infinity, which the
// 8-bit types store as their largest number.
double special(DataType type, int rank, int kind) {
  const double largest = largest_of(type);
  if (kind == 0) return rank == 0 || rank == 1 ? largest : rank == 2 ? -largest : 0;
  if (rank != 1) return 1;
  return kind == 1 ? std::nan("") : INFINITY;
}

double scalar(int rank) { return 1.25 + 0.5 * (rank % 2); }

// Element of a rank's input: short numbers for products, so that five of them fit in fp32. A hash (splitmix64), since a
// generator for each element would take most of the test's time.
double input(const Case& c, int rank, std::size_t element) {
  if (c.op != ReduceOp::kProd && element % 32 < 3) return special(c.type, rank, static_cast<int>(element % 32));
  std::uint64_t random = (kSeed + element * 64 + static_cast<std::size_t>(rank)) * 0x9e3779b97f4a7c15ULL;
  random = (random ^ random >> 30) * 0xbf58476d1ce4e5b9ULL;
  random = (random ^ random >> 27) * 0x94d049bb133111ebULL;
  const int bits = c.op == ReduceOp::kProd ? std::min(4, significant_bits(c.type)) : significant_bits(c.type);
  const auto top = std::uint64_t{1} << (bits - 1);
  const auto mantissa = static_cast<double>(top + (random >> 8) % top);
  const int exponent = c.op == ReduceOp::kProd ? 0 : static_cast<int>((random >> 32) % 6) - 2;
  return std::ldexp(random >> 63 == 0 ? mantissa : -mantissa, exponent - bits + 1);
}

Bits expected(const Case& c, std::size_t element) {
  double total = c.op == ReduceOp::kProd ? 1 : 0;
  for (int rank = 0; rank < c.ranks; ++rank) {
    const double value = reduce::reference::decode(c.type, reduce::reference::encode(c.type, input(c, rank, element)));
    if (c.op == ReduceOp::kProd) total *= value;
    if (c.op != ReduceOp::kProd) total += value * (c.op == ReduceOp::kPreMulSum ? scalar(rank) : 1);
  }
  if (c.op == ReduceOp::kAvg) total = static_cast<float>(total) / static_cast<float>(c.ranks);
  return reduce::reference::encode(c.type, total);
}

// One rank's buffers and call; `check` counts the elements that are not what one rounding gives.
struct Buffers {
  Buffers(const Case& what, Collective collective, int self) : c(what), rank(self) {
    const bool scatters = collective == Collective::kReduceScatter;
    const std::size_t size = size_of(c.type), elements = c.count * (scatters ? static_cast<std::size_t>(c.ranks) : 1);
    first = scatters ? static_cast<std::size_t>(rank) * c.count : 0;
    written = collective != Collective::kReduce || rank == c.root;
    in.assign(elements * size + size, kGuard);
    out.assign(c.count * size + size, kGuard);
    for (std::size_t i = 0; i < elements; ++i)
      set(c.type, in.data(), i, reduce::reference::encode(c.type, input(c, rank, i)));
    const double factor = scalar(rank);
    const Bits scalar_bits = reduce::reference::encode(c.type, factor);
    std::memcpy(request.scalar.data(), &scalar_bits, size);
    result = c.in_place ? in.data() + first * size : out.data();
    request.collective = collective;
    request.type = c.type;
    request.op = c.op;
    request.root = c.root;
    request.in = in.data();
    request.out = written ? result : nullptr;
    request.count = c.count;
  }
  std::size_t wrong() const {
    std::size_t count = 0;
    for (std::size_t i = 0; written && i < c.count; ++i) count += get(c.type, result, i) != expected(c, first + i);
    const std::size_t end = out.size() - size_of(c.type);
    EXPECT_TRUE(std::all_of(out.begin() + static_cast<std::ptrdiff_t>(written && !c.in_place ? end : 0), out.end(),
                            [](unsigned char byte) { return byte == kGuard; }));
    EXPECT_EQ(in.back(), kGuard);
    return count;
  }

  Case c;
  int rank;
  std::size_t first = 0;
  bool written = true;
  std::vector<unsigned char> in, out;
  unsigned char* result = nullptr;
  Request request;
};

// Elements of all ranks that are not what one rounding gives.
std::size_t wrong(const plan::Plan& plan, const Case& c, bool fp32) {
  std::atomic<std::size_t> total{0};
  with_ranks(c.ranks, [&](int rank, TestRank& self) {
    Buffers buffers(c, plan.collective, rank);
    const Status status = self.run(plan, buffers.request, fp32);
    ASSERT_TRUE(status.ok()) << status.message();
    total += buffers.wrong();
  });
  return total;
}

std::string text(const plan::Plan& plan, const Case& c) {
  return plan.name() + " " + std::string(name_of(c.type)) + " " + std::string(name_of(c.op)) + " ranks " +
         std::to_string(c.ranks) + " count " + std::to_string(c.count) + (c.in_place ? " in place" : "") + " seed " +
         std::to_string(kSeed);
}

std::vector<plan::Plan> hop_plans(int ranks) {
  std::vector<plan::Plan> plans;
  for (Collective collective : kReductions) {
    for (const std::string& family : plan::families(collective)) {
      plan::Limits limits;
      limits.force_slice = 4096;
      auto plan = plan::build(family, collective, cluster::uniform(ranks, ranks, 2), 100'000, limits);
      if (plan.ok() && !plan->wide) plans.push_back(plan.take());
    }
  }
  return plans;
}

TEST(Carrier, RoundsOnceForEveryFamilyTypeOperationAndPlace) {
  for (int ranks : {2, 3, 5})
    for (const plan::Plan& plan : hop_plans(ranks))
      for (DataType type : kNarrow)
        for (ReduceOp op : kOps)
          for (std::uint64_t count : {std::uint64_t{1}, std::uint64_t{331}})
            for (bool in_place : {false, true}) {
              const Case c{type, op, ranks, count, in_place, ranks - 1};
              EXPECT_EQ(wrong(plan, c, true), 0U) << text(plan, c);
            }
}

TEST(Carrier, MovesMoreThanOneTurnAtATime) {
  for (const plan::Plan& plan : hop_plans(3)) {
    const Case c{DataType::kBfloat16, ReduceOp::kSum, 3, 70'001, false, 1};
    EXPECT_EQ(wrong(plan, c, true), 0U) << text(plan, c);
  }
}

// The other tests of this file could not fail if this one did. Of five ranks: products of fewer are exact on the way.
TEST(Carrier, IsNeededForTheseData) {
  for (const plan::Plan& plan : hop_plans(5))
    for (DataType type : kNarrow)
      for (ReduceOp op : kOps) {
        const Case c{type, op, 5, 331, false, 0};
        EXPECT_GT(wrong(plan, c, false), 0U) << text(plan, c);
      }
}

TEST(Carrier, ServesOneCallAfterAnotherInTheSameOperation) {
  const auto plan = plan::build("ring", Collective::kAllReduce, cluster::uniform(3, 3, 2), 1000, {});
  ASSERT_TRUE(plan.ok());
  with_ranks(3, [&](int rank, TestRank& self) {
    const Prepared prepared(*plan, rank, 0, plan::hash(*plan));
    Operation operation;
    std::uint64_t sequence = 0;
    for (DataType type : {DataType::kFloat16, DataType::kBfloat16, DataType::kBfloat16, DataType::kFloat8e4m3})
      for (std::uint64_t count : {777, 777, 10'000, 3})
        for (ReduceOp op : kOps) {
          Buffers buffers({type, op, 3, count, false, 0}, Collective::kAllReduce, rank);
          ++sequence;
          ASSERT_TRUE(operation.start(prepared, buffers.request, sequence, sequence, self.context(), true).ok());
          ASSERT_TRUE(self.finish(operation).ok());
          ASSERT_EQ(buffers.wrong(), 0U) << text(*plan, buffers.c);
        }
  });
}

TEST(Carrier, DoesNotHideThatRanksCalledDifferentTypes) {
  const auto plan = plan::build("ring", Collective::kAllReduce, cluster::uniform(2, 2, 2), 1000, {});
  ASSERT_TRUE(plan.ok());
  with_ranks(2, [&](int rank, TestRank& self) {
    Case c{rank == 0 ? DataType::kFloat16 : DataType::kBfloat16, ReduceOp::kSum, 2, 100, false, 0};
    Buffers buffers(c, Collective::kAllReduce, rank);
    EXPECT_EQ(self.run(*plan, buffers.request, true).code(), Code::kProtocol);
  });
}

}  // namespace
}  // namespace amalgam::engine
