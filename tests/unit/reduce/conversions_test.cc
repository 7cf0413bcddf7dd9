// Every bit pattern of the small floats through every target.

#include <gtest/gtest.h>

#include "reference.h"
#include "samples.h"

namespace amalgam::reduce {
namespace {

class SmallFloats : public testing::TestWithParam<DataType> {};
class SixteenBitFloats : public SmallFloats {};
class EightBitFloats : public SmallFloats {};

// Folds pattern a[i] with b[i] on every target and compares each element with the reference.
void compare_pairs(DataType type, ReduceOp op, const std::vector<std::uint64_t>& a,
                   const std::vector<std::uint64_t>& b) {
  const std::size_t count = a.size();
  Memory x(count * size_of(type)), y(x.size()), out(x.size());
  for (std::size_t i = 0; i < count; ++i) {
    set_element(type, x.data(), i, a[i]);
    set_element(type, y.data(), i, b[i]);
  }
  const void* operands[] = {x.data(), y.data()};
  Reduction reduction;
  reduction.type = type;
  reduction.op = op;
  std::vector<std::uint64_t> expected(count);
  for (std::size_t i = 0; i < count; ++i) expected[i] = reference::fold(reduction, {a[i], b[i]}, -1, false);
  for (const Kernels* target : all_targets()) {
    target->fold[static_cast<int>(type)][static_cast<int>(op)](out.data(), operands, 2, 0, count);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(element(type, out.data(), i), expected[i])
          << target->name << " " << describe(type, op) << std::hex << " of " << a[i] << " and " << b[i];
    }
  }
}

TEST_P(SmallFloats, RoundTripEveryBitPatternAndMakeNanCanonical) {
  const DataType type = GetParam();
  const std::size_t count = std::size_t{1} << (8 * size_of(type));
  Memory x(count * size_of(type)), out(x.size());
  for (std::size_t i = 0; i < count; ++i) set_element(type, x.data(), i, i);
  const void* operands[] = {x.data()};
  for (const Kernels* target : all_targets()) {
    target->fold[static_cast<int>(type)][static_cast<int>(ReduceOp::kSum)](out.data(), operands, 1, 0, count);
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t expected = reference::is_nan(type, i) ? reference::canonical_nan(type) : i;
      if (type == DataType::kFloat8e5m2 && (i & 0x7f) == 0x7c) expected = (i & 0x80) | 0x7b;  // infinity saturates
      ASSERT_EQ(element(type, out.data(), i), expected) << target->name << " pattern " << i;
    }
  }
}

TEST_P(SixteenBitFloats, FoldEveryPatternWithChosenPartnersAsTheReferenceDoes) {
  const DataType type = GetParam();
  const std::uint64_t partners[] = {0,      1,      0x8001, 0x0400, 0x3c01, 0xbc00, 0x7bff,
                                    0x7c00, 0x7e01, 0x0080, 0x3f81, 0x7f7f, 0xff80};
  std::vector<std::uint64_t> a(std::size_t{1} << 16), b(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = i;
  std::mt19937_64 random(16);
  for (const ReduceOp op : kFoldedOps) {
    for (std::uint64_t partner : partners) {
      for (std::uint64_t& bits : b) bits = partner;
      ASSERT_NO_FATAL_FAILURE(compare_pairs(type, op, a, b));
    }
    for (std::uint64_t& bits : b) bits = random() & 0xffff;
    ASSERT_NO_FATAL_FAILURE(compare_pairs(type, op, a, b));
    for (std::size_t i = 0; i < a.size(); ++i) b[i] = (i ^ 0x8000) + random() % 65 - 32;  // near cancellation
    for (std::uint64_t& bits : b) bits &= 0xffff;
    ASSERT_NO_FATAL_FAILURE(compare_pairs(type, op, a, b));
  }
}

TEST_P(EightBitFloats, FoldAllPairsAsTheReferenceDoes) {
  const DataType type = GetParam();
  std::vector<std::uint64_t> a, b;
  for (std::uint64_t i = 0; i < 65536; ++i) a.push_back(i >> 8), b.push_back(i & 0xff);
  for (const ReduceOp op : kFoldedOps) ASSERT_NO_FATAL_FAILURE(compare_pairs(type, op, a, b));
}

std::string name_of_case(const testing::TestParamInfo<DataType>& instance) {
  return std::string(name_of(instance.param));
}

INSTANTIATE_TEST_SUITE_P(Formats, SmallFloats,
                         testing::Values(DataType::kFloat16, DataType::kBfloat16, DataType::kFloat8e4m3,
                                         DataType::kFloat8e5m2),
                         name_of_case);
INSTANTIATE_TEST_SUITE_P(Formats, SixteenBitFloats, testing::Values(DataType::kFloat16, DataType::kBfloat16),
                         name_of_case);
INSTANTIATE_TEST_SUITE_P(Formats, EightBitFloats, testing::Values(DataType::kFloat8e4m3, DataType::kFloat8e5m2),
                         name_of_case);

}  // namespace
}  // namespace amalgam::reduce
