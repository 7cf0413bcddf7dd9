// The rules of docs/numerics.md that a reader can check by eye: lower(), copy(), NaN, zeros, infinities, the float
// mode.

#include <gtest/gtest.h>

#include <cfenv>
#include <cmath>
#include <limits>

#include "samples.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace amalgam::reduce {
namespace {

using Kind = Scale::Kind;

std::uint64_t fold_bits(DataType type, ReduceOp op, std::vector<std::uint64_t> bits) {
  std::vector<const void*> operands;
  for (const std::uint64_t& operand : bits) operands.push_back(&operand);
  std::uint64_t result = 0;
  fold({type, op, {}, {}}, &result, operands, 1, -1, false);
  return result;
}

TEST(Lower, LeavesSumProdMaxAndMinAsTheyAre) {
  for (const ReduceOp op : kFoldedOps) {
    const Reduction reduction = lower(DataType::kFloat16, op, 4, false, nullptr);
    EXPECT_EQ(reduction.type, DataType::kFloat16);
    EXPECT_EQ(reduction.op, op);
    EXPECT_EQ(reduction.pre.kind, Kind::kNone);
    EXPECT_EQ(reduction.post.kind, Kind::kNone);
  }
}

TEST(Lower, DividesOnceAtTheEndForAvgExceptSmallFloatsThatTravelHopByHop) {
  for (const DataType type : kAllTypes) {
    for (const bool wide : {false, true}) {
      const Reduction reduction = lower(type, ReduceOp::kAvg, 6, wide, nullptr);
      const bool at_inputs = !wide && is_float(type) && size_of(type) < 4;
      EXPECT_EQ(reduction.op, ReduceOp::kSum);
      EXPECT_EQ(reduction.pre.kind, at_inputs ? Kind::kDivide : Kind::kNone) << name_of(type);
      EXPECT_EQ(reduction.post.kind, at_inputs ? Kind::kNone : Kind::kDivide) << name_of(type);
      const Scale& divide = at_inputs ? reduction.pre : reduction.post;
      EXPECT_EQ(divide.real, 6.0);
      EXPECT_EQ(divide.integer, 6);
    }
  }
}

TEST(Lower, NeedsNoDivisionForTheAverageOfOneRank) {
  const Reduction reduction = lower(DataType::kFloat32, ReduceOp::kAvg, 1, true, nullptr);
  EXPECT_EQ(reduction.pre.kind, Kind::kNone);
  EXPECT_EQ(reduction.post.kind, Kind::kNone);
}

TEST(Lower, ReadsThePremulsumScalarInItsOwnType) {
  const struct {
    DataType type;
    std::uint64_t bits;
    double real;
    std::int64_t integer;
  } cases[] = {{DataType::kInt8, 0xfe, 1, -2},           {DataType::kUint8, 0xfe, 1, 254},
               {DataType::kInt32, 0xffffffff, 1, -1},    {DataType::kUint32, 0xffffffff, 1, 4294967295},
               {DataType::kInt64, ~0ull, 1, -1},         {DataType::kUint64, ~0ull, 1, -1},
               {DataType::kFloat16, 0x3e00, 1.5, 1},     {DataType::kBfloat16, 0x3fc0, 1.5, 1},
               {DataType::kFloat32, 0x3fc00000, 1.5, 1}, {DataType::kFloat64, 0x3ff8000000000000, 1.5, 1},
               {DataType::kFloat8e4m3, 0x3c, 1.5, 1},    {DataType::kFloat8e5m2, 0x3e, 1.5, 1}};
  for (const auto& test : cases) {
    unsigned char scalar[16] = {};
    set_element(test.type, scalar + 1, 0, test.bits);  // unaligned
    const Reduction reduction = lower(test.type, ReduceOp::kPreMulSum, 3, true, scalar + 1);
    EXPECT_EQ(reduction.op, ReduceOp::kSum);
    EXPECT_EQ(reduction.pre.kind, Kind::kMultiply);
    EXPECT_EQ(reduction.post.kind, Kind::kNone);
    EXPECT_EQ(reduction.pre.real, test.real) << name_of(test.type);
    EXPECT_EQ(reduction.pre.integer, test.integer) << name_of(test.type);
  }
}

TEST(Sums, GiveTheCanonicalNan) {
  EXPECT_EQ(fold_bits(DataType::kFloat32, ReduceOp::kSum, {0x7f800000, 0xff800000}), 0x7fc00000u);  // inf - inf
  EXPECT_EQ(fold_bits(DataType::kFloat32, ReduceOp::kSum, {0xffc12345, 0x3f800000}), 0x7fc00000u);
  EXPECT_EQ(fold_bits(DataType::kFloat32, ReduceOp::kProd, {0x00000000, 0x7f800000}), 0x7fc00000u);
  EXPECT_EQ(fold_bits(DataType::kFloat64, ReduceOp::kSum, {0xfff8000000000001, 0}), 0x7ff8000000000000u);
  EXPECT_EQ(fold_bits(DataType::kFloat16, ReduceOp::kSum, {0xfc01, 0}), 0x7e00u);
  EXPECT_EQ(fold_bits(DataType::kBfloat16, ReduceOp::kSum, {0xff81, 0}), 0x7fc0u);
  EXPECT_EQ(fold_bits(DataType::kFloat8e4m3, ReduceOp::kSum, {0xff, 0}), 0x7fu);
  EXPECT_EQ(fold_bits(DataType::kFloat8e5m2, ReduceOp::kSum, {0xfd, 0}), 0x7eu);
}

TEST(Sums, OfEightBitFloatsSaturate) {
  EXPECT_EQ(fold_bits(DataType::kFloat8e4m3, ReduceOp::kSum, {0x7e, 0x7e}), 0x7eu);
  EXPECT_EQ(fold_bits(DataType::kFloat8e4m3, ReduceOp::kSum, {0xfe, 0xfe}), 0xfeu);
  EXPECT_EQ(fold_bits(DataType::kFloat8e5m2, ReduceOp::kSum, {0x7b, 0x7b}), 0x7bu);
  EXPECT_EQ(fold_bits(DataType::kFloat8e5m2, ReduceOp::kSum, {0x7c, 0x00}), 0x7bu);  // an infinity, too
  EXPECT_EQ(fold_bits(DataType::kFloat8e5m2, ReduceOp::kSum, {0x7c, 0xfc}), 0x7eu);
}

TEST(Sums, OfSixteenBitFloatsOverflowToInfinityOnlyAtTheEnd) {
  EXPECT_EQ(fold_bits(DataType::kFloat16, ReduceOp::kSum, {0x7bff, 0x7bff}), 0x7c00u);
  EXPECT_EQ(fold_bits(DataType::kFloat16, ReduceOp::kSum, {0x7bff, 0x7bff, 0xfbff}), 0x7bffu);
}

TEST(Sums, OfManySmallFloatsRoundOnce) {
  // 1 + 4 × 2^-12: each addend alone would be lost in fp16 (its unit at 1 is 2^-10), together they are one unit.
  EXPECT_EQ(fold_bits(DataType::kFloat16, ReduceOp::kSum, {0x3c00, 0x0c00, 0x0c00, 0x0c00, 0x0c00}), 0x3c01u);
}

TEST(Sums, KeepSubnormals) {
  EXPECT_EQ(fold_bits(DataType::kFloat32, ReduceOp::kSum, {1, 1}), 2u);
  EXPECT_EQ(fold_bits(DataType::kBfloat16, ReduceOp::kSum, {1, 1}), 2u);
  EXPECT_EQ(fold_bits(DataType::kFloat16, ReduceOp::kSum, {1, 1}), 2u);
  EXPECT_EQ(fold_bits(DataType::kFloat8e4m3, ReduceOp::kSum, {1, 1}), 2u);
  EXPECT_EQ(fold_bits(DataType::kFloat8e5m2, ReduceOp::kSum, {1, 1}), 2u);
}

TEST(MinAndMax, DropNanAndOrderZeros) {
  const std::uint64_t nan = 0x7fc00000, one = 0x3f800000, minus_zero = 0x80000000;
  for (const ReduceOp op : {ReduceOp::kMin, ReduceOp::kMax}) {
    EXPECT_EQ(fold_bits(DataType::kFloat32, op, {nan, one}), one);
    EXPECT_EQ(fold_bits(DataType::kFloat32, op, {one, 0xffc00001}), one);
    EXPECT_EQ(fold_bits(DataType::kFloat32, op, {0xffffffff, 0x7fffffff}), nan);
  }
  EXPECT_EQ(fold_bits(DataType::kFloat32, ReduceOp::kMin, {0, minus_zero}), minus_zero);
  EXPECT_EQ(fold_bits(DataType::kFloat32, ReduceOp::kMin, {minus_zero, 0}), minus_zero);
  EXPECT_EQ(fold_bits(DataType::kFloat32, ReduceOp::kMax, {0, minus_zero}), 0u);
  EXPECT_EQ(fold_bits(DataType::kFloat32, ReduceOp::kMax, {minus_zero, 0}), 0u);
  EXPECT_EQ(fold_bits(DataType::kFloat8e5m2, ReduceOp::kMax, {0x7c, 0x7b}), 0x7cu);  // an infinity is a number here
}

TEST(Integers, Wrap) {
  EXPECT_EQ(fold_bits(DataType::kInt8, ReduceOp::kSum, {0x7f, 1}), 0x80u);
  EXPECT_EQ(fold_bits(DataType::kUint8, ReduceOp::kProd, {0x11, 0x11}), 0x21u);
  EXPECT_EQ(fold_bits(DataType::kInt64, ReduceOp::kSum, {0x7fffffffffffffff, 1}), 0x8000000000000000u);
}

TEST(Copy, KeepsNanBitsWhenNothingIsScaled) {
  const std::uint32_t source[] = {0xffc12345, 0x7f800001, 0x80000000};
  std::uint32_t copied[3] = {};
  const Reduction avg = lower(DataType::kFloat32, ReduceOp::kAvg, 2, true, nullptr);
  copy(avg, copied, source, 3, true, false);  // avg divides at the end only
  for (int i = 0; i < 3; ++i) EXPECT_EQ(copied[i], source[i]);
  copy(avg, copied, copied, 3, false, false);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(copied[i], source[i]);
}

TEST(Copy, AppliesPreAndPostWhenAsked) {
  const float source[] = {3, -8, std::numeric_limits<float>::quiet_NaN()};
  float copied[3] = {};
  Reduction reduction{DataType::kFloat32, ReduceOp::kSum, {Kind::kMultiply, 5, 5}, {Kind::kDivide, 2, 2}};
  copy(reduction, copied, source, 2, true, false);
  EXPECT_EQ(copied[0], 15);
  EXPECT_EQ(copied[1], -40);
  copy(reduction, copied, source, 2, false, true);
  EXPECT_EQ(copied[0], 1.5f);
  copy(reduction, copied, source, 3, true, true);
  EXPECT_EQ(copied[1], -20);
  EXPECT_TRUE(std::isnan(copied[2]));
  reduction.op = ReduceOp::kMax;  // copy has no second operand: the operation does not matter
  copy(reduction, copied, source, 2, true, true);
  EXPECT_EQ(copied[0], 7.5f);
}

TEST(FloatMode, OfTheCallerChangesNoBitAndIsGivenBack) {
  const std::vector<std::uint64_t> subnormals = {3, 4}, halfway = {0x3f800000, 0x33800000};
  std::fesetround(FE_UPWARD);
#if defined(__x86_64__)
  const unsigned entry = _mm_getcsr();
  _mm_setcsr(entry | 0x8040);  // flush to zero, denormals are zero
#endif
  const std::uint64_t kept = fold_bits(DataType::kFloat32, ReduceOp::kSum, subnormals);
  const std::uint64_t nearest = fold_bits(DataType::kFloat32, ReduceOp::kSum, halfway);
#if defined(__x86_64__)
  const unsigned after = _mm_getcsr();
  _mm_setcsr(entry);
  EXPECT_EQ(after & 0xffc0, (entry | 0x8040) & 0xffc0);
#endif
  EXPECT_EQ(std::fegetround(), FE_UPWARD);
  std::fesetround(FE_TONEAREST);
  EXPECT_EQ(kept, 7u);
  EXPECT_EQ(nearest, 0x3f800000u);
}

}  // namespace
}  // namespace amalgam::reduce
