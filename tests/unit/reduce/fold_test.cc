// fold() and every target's table against the reference: types, operations, operand counts, sizes, alignment, in place,
// scales.

#include <gtest/gtest.h>

#include "reference.h"
#include "samples.h"

namespace amalgam::reduce {
namespace {

constexpr std::uint64_t kSeed = 20240807;

struct Case {
  Reduction reduction;
  std::size_t operand_count, count, padding;
  int own = -1;
  bool finish = false;
  int in_place = -1;  // operand whose memory is also the destination
};

// Runs the case on `target`, or through fold() when null.
void check(const Case& test, const Kernels* target, std::mt19937_64& random) {
  const DataType type = test.reduction.type;
  std::vector<Memory> data;
  for (std::size_t j = 0; j < test.operand_count; ++j)
    data.push_back(sample(type, test.count, test.padding + j, random));
  std::vector<std::uint64_t> expected;
  for (std::size_t i = 0; i < test.count; ++i) {
    std::vector<std::uint64_t> bits;
    for (std::size_t j = 0; j < test.operand_count; ++j)
      bits.push_back(element(type, data[j].data() + test.padding + j, i));
    expected.push_back(reference::fold(test.reduction, bits, test.own, test.finish));
  }
  constexpr unsigned char kGuard = 0xa5;
  Memory separate(test.padding + test.count * size_of(type) + 8, kGuard);
  std::vector<const void*> operands;
  for (std::size_t j = 0; j < test.operand_count; ++j) operands.push_back(data[j].data() + test.padding + j);
  void* dst = separate.data() + test.padding;
  if (test.in_place >= 0) {
    const auto j = static_cast<std::size_t>(test.in_place);
    dst = data[j].data() + test.padding + j;
  }
  if (target == nullptr) {
    fold(test.reduction, dst, operands, test.count, test.own, test.finish);
  } else if (test.own < 0 && !test.finish) {
    target->fold[static_cast<int>(type)][static_cast<int>(test.reduction.op)](dst, operands.data(), operands.size(), 0,
                                                                              test.count);
  } else {
    const Scaling scaling{test.own < 0 ? Scale{} : test.reduction.pre, test.finish ? test.reduction.post : Scale{},
                          test.own};
    target->scaled[static_cast<int>(type)][static_cast<int>(test.reduction.op)](scaling, dst, operands.data(),
                                                                                operands.size(), 0, test.count);
  }
  for (std::size_t i = 0; i < test.count; ++i) {
    ASSERT_EQ(element(type, dst, i), expected[i])
        << (target != nullptr ? target->name : "fold()") << " " << describe(type, test.reduction.op) << " element " << i
        << " of " << test.count << ", " << test.operand_count << " operands, own " << test.own << ", seed " << kSeed;
  }
  for (std::size_t i = separate.size() - 8; i < separate.size(); ++i)
    ASSERT_EQ(separate[i], kGuard) << "written past the end";
}

std::vector<const Kernels*> all_targets_and_fold() {
  std::vector<const Kernels*> targets = all_targets();
  targets.push_back(nullptr);
  return targets;
}

class Fold : public testing::TestWithParam<DataType> {};
class FoldOfIntegers : public Fold {};

TEST_P(Fold, MatchesTheReferenceForEveryOperationOperandCountAndOddCount) {
  std::mt19937_64 random(kSeed);
  for (const Kernels* target : all_targets_and_fold()) {
    for (const ReduceOp op : kFoldedOps) {
      for (std::size_t operand_count = 1; operand_count <= 5; ++operand_count) {
        for (const std::size_t count : {1, 2, 3, 7, 15, 33, 63, 129, 301}) {
          Case test{{GetParam(), op, {}, {}}, operand_count, count, count % 3};
          ASSERT_NO_FATAL_FAILURE(check(test, target, random));
          test.in_place = static_cast<int>(count % operand_count);
          ASSERT_NO_FATAL_FAILURE(check(test, target, random));
        }
      }
    }
  }
}

TEST_P(Fold, TakesManyOperandsInOnePass) {
  std::mt19937_64 random(kSeed + 1);
  for (const Kernels* target : all_targets_and_fold()) {
    ASSERT_NO_FATAL_FAILURE(check({{GetParam(), ReduceOp::kSum, {}, {}}, 67, 131, 1}, target, random));
  }
}

TEST_P(Fold, ScalesTheOwnOperandAndTheResultAsTheReferenceDoes) {
  std::mt19937_64 random(kSeed + 2);
  using Kind = Scale::Kind;
  const Scale scales[] = {{},
                          {Kind::kMultiply, -3.0, -3},
                          {Kind::kMultiply, 0.15625, 77},
                          {Kind::kDivide, 3.0, 3},
                          {Kind::kDivide, 7.0, 7},
                          {Kind::kDivide, 1000.0, 1000}};
  for (const Kernels* target : all_targets_and_fold()) {
    for (const Scale& pre : scales) {
      for (const Scale& post : scales) {
        for (std::size_t operand_count = 1; operand_count <= 3; ++operand_count) {
          Case test{{GetParam(), ReduceOp::kSum, pre, post}, operand_count, 77, 1};
          test.own = static_cast<int>(operand_count) - 1;
          test.finish = true;
          ASSERT_NO_FATAL_FAILURE(check(test, target, random));
          test.in_place = 0;
          ASSERT_NO_FATAL_FAILURE(check(test, target, random));
          test.finish = false;
          ASSERT_NO_FATAL_FAILURE(check(test, target, random));
        }
      }
    }
  }
}

TEST_P(Fold, ScalesEveryOperationAsTheReferenceDoes) {
  std::mt19937_64 random(kSeed + 5);
  const Scale half{Scale::Kind::kDivide, 2.0, 2}, third{Scale::Kind::kMultiply, 0.375, 3};
  for (const ReduceOp op : kFoldedOps) {
    for (const Kernels* target : all_targets_and_fold()) {
      Case test{{GetParam(), op, third, half}, 3, 45, 0};
      test.own = 1;
      test.finish = true;
      ASSERT_NO_FATAL_FAILURE(check(test, target, random));
    }
  }
}

TEST_P(Fold, ScalesEveryRemainderOfABlockAsTheReferenceDoes) {
  std::mt19937_64 random(kSeed + 6);
  const Scale pre{Scale::Kind::kMultiply, 1.5, 3}, post{Scale::Kind::kDivide, 5.0, 5};
  for (const Kernels* target : all_targets_and_fold()) {
    for (std::size_t count = 1; count < 70; ++count) {
      Case test{{GetParam(), ReduceOp::kSum, pre, post}, 2, count, count % 5};
      test.own = static_cast<int>(count % 2);
      test.finish = true;
      test.in_place = static_cast<int>(count % 3) - 1;
      ASSERT_NO_FATAL_FAILURE(check(test, target, random));
    }
  }
}

TEST_P(FoldOfIntegers, DividesByMinusOneAndByLargeDivisorsWithoutTrapping) {
  std::mt19937_64 random(kSeed + 3);
  for (const std::int64_t divisor :
       {std::int64_t{-1}, std::int64_t{1}, std::int64_t{300}, std::int64_t{1} << 40, INT64_MIN}) {
    Case test{{GetParam(), ReduceOp::kSum, {}, {Scale::Kind::kDivide, 1, divisor}}, 2, 99, 0};
    test.finish = true;
    for (const Kernels* target : all_targets_and_fold())
      ASSERT_NO_FATAL_FAILURE(check(test, target, random)) << divisor;
  }
}

TEST_P(Fold, GivesTheSameBitsOnEveryTargetAtAnyPosition) {
  std::mt19937_64 random(kSeed + 4);
  const DataType type = GetParam();
  constexpr std::size_t kCount = 5000;
  const Memory x = sample(type, kCount, 0, random), y = sample(type, kCount, 0, random),
               z = sample(type, kCount, 0, random);
  const void* operands[] = {x.data(), y.data(), z.data()};
  for (const ReduceOp op : kFoldedOps) {
    Memory expected(x.size());
    kScalarKernels.fold[static_cast<int>(type)][static_cast<int>(op)](expected.data(), operands, 3, 0, kCount);
    for (const Kernels* target : all_targets()) {
      Memory got(x.size());
      std::size_t begin = 0;
      while (begin < kCount) {  // cut at random places: position must not matter
        const std::size_t end = std::min<std::size_t>(kCount, begin + 1 + random() % 700);
        target->fold[static_cast<int>(type)][static_cast<int>(op)](got.data(), operands, 3, begin, end);
        begin = end;
      }
      ASSERT_EQ(got, expected) << target->name << " " << describe(type, op);
    }
  }
}

std::string name_of_case(const testing::TestParamInfo<DataType>& instance) {
  return std::string(name_of(instance.param));
}

INSTANTIATE_TEST_SUITE_P(Types, Fold, testing::ValuesIn(kAllTypes), name_of_case);
INSTANTIATE_TEST_SUITE_P(Types, FoldOfIntegers,
                         testing::Values(DataType::kInt8, DataType::kUint8, DataType::kInt32, DataType::kUint32,
                                         DataType::kInt64, DataType::kUint64),
                         name_of_case);

TEST(FoldOfNothing, WritesNothing) {
  unsigned char byte = 42;
  const void* operand = &byte;
  fold({DataType::kInt8, ReduceOp::kSum, {}, {}}, &byte, std::span(&operand, 1), 0, -1, false);
  EXPECT_EQ(byte, 42);
  fold({DataType::kFloat32, ReduceOp::kSum, {}, {}}, nullptr, std::span(&operand, 1), 0, 0, true);
}

TEST(TargetName, IsTheBestUsableTarget) {
  ASSERT_FALSE(all_targets().empty());
  EXPECT_STREQ(target_name(), all_targets().front()->name);
  EXPECT_STREQ(all_targets().back()->name, "scalar");
}

}  // namespace
}  // namespace amalgam::reduce
