// Between the small floats and fp32 on every target: every pattern, every place where rounding turns, any position.

#include <gtest/gtest.h>

#include <bit>
#include <cfenv>
#include <cmath>
#include <limits>

#include "reference.h"
#include "samples.h"

namespace amalgam::reduce {
namespace {

constexpr std::uint64_t kSeed = 20261126;

class Conversions : public testing::TestWithParam<DataType> {
 protected:
  const DataType type = GetParam();
  const std::size_t index = static_cast<std::size_t>(type);
  const std::size_t patterns = std::size_t{1} << (8 * size_of(type));

  Memory all_patterns() const {
    Memory memory(patterns * size_of(type));
    for (std::size_t i = 0; i < patterns; ++i) set_element(type, memory.data(), i, i);
    return memory;
  }

  // Each value of the type, what lies half-way to its neighbour, and the floats next to that: above and below zero.
  std::vector<float> turning_points() const {
    std::vector<float> floats;
    for (std::size_t i = 0; i + 1 < patterns / 2; ++i) {
      const double value = reference::decode(type, i), next = reference::decode(type, i + 1);
      const auto half_way = static_cast<float>(value + (next - value) / 2);
      for (float point : {static_cast<float>(value), half_way, std::nextafter(half_way, 0.0F),
                          std::nextafter(half_way, std::numeric_limits<float>::infinity())})
        floats.insert(floats.end(), {point, -point});
    }
    return floats;
  }
};

TEST_P(Conversions, WidenEveryPatternToItsValue) {
  const Memory narrow = all_patterns();
  std::vector<float> wide(patterns);
  for (const Kernels* target : all_targets()) {
    target->widen[index](wide.data(), narrow.data(), 0, patterns);
    for (std::size_t i = 0; i < patterns; ++i)
      ASSERT_EQ(std::bit_cast<std::uint32_t>(wide[i]),
                reference::encode(DataType::kFloat32, reference::decode(type, i)))
          << target->name << " pattern " << i;
  }
}

TEST_P(Conversions, NarrowToTheNearestValue) {
  std::vector<float> wide = turning_points();
  std::mt19937_64 random(kSeed);
  for (int i = 0; i < 20'000; ++i) wide.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(random())));
  for (std::uint64_t bits : kSpecialBits) wide.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  std::vector<std::uint64_t> expected;
  for (float value : wide) expected.push_back(reference::encode(type, value));
  Memory narrow(wide.size() * size_of(type));
  for (const Kernels* target : all_targets()) {
    target->narrow[index](narrow.data(), wide.data(), 0, wide.size());
    for (std::size_t i = 0; i < wide.size(); ++i)
      ASSERT_EQ(element(type, narrow.data(), i), expected[i])
          << target->name << " " << std::hexfloat << wide[i] << ", seed " << kSeed;
  }
}

TEST_P(Conversions, GiveTheSameAtAnyPositionAndTouchNothingElse) {
  std::mt19937_64 random(kSeed + 1);
  constexpr std::size_t kCount = 3000;
  const Memory narrow = sample(type, kCount, 1, random);  // at an odd address
  std::vector<float> wide(kCount);
  kScalarKernels.widen[index](wide.data(), narrow.data() + 1, 0, kCount);
  Memory back(kCount * size_of(type));
  kScalarKernels.narrow[index](back.data(), wide.data(), 0, kCount);
  for (const Kernels* target : all_targets()) {
    for (int round = 0; round < 200; ++round) {
      const std::size_t begin = random() % kCount,
                        end = begin + 1 + random() % std::min<std::size_t>(70, kCount - begin);
      std::vector<float> widened(kCount, -1), want_widened(widened);
      Memory narrowed(back.size() + 1, 0xa5), want_narrowed(narrowed);
      std::copy(wide.begin() + begin, wide.begin() + end, want_widened.begin() + begin);
      std::copy(back.begin() + begin * size_of(type), back.begin() + end * size_of(type),
                want_narrowed.begin() + 1 + begin * size_of(type));
      target->widen[index](widened.data(), narrow.data() + 1, begin, end);
      target->narrow[index](narrowed.data() + 1, wide.data(), begin, end);
      ASSERT_EQ(std::memcmp(widened.data(), want_widened.data(), kCount * sizeof(float)), 0)
          << target->name << " " << begin << " to " << end << ", seed " << kSeed;
      ASSERT_EQ(narrowed, want_narrowed) << target->name << " " << begin << " to " << end << ", seed " << kSeed;
    }
  }
}

TEST_P(Conversions, DoNotDependOnTheCallersRounding) {
  const Memory patterns_in = all_patterns();
  Memory back(patterns_in.size());
  std::vector<float> wide(patterns);
  std::fesetround(FE_UPWARD);
  widen(type, wide.data(), patterns_in.data(), patterns);
  for (float& value : wide) value = std::nextafter(value, 0.0F);  // one unit of fp32: nearest gives the value again
  narrow(type, back.data(), wide.data(), patterns);
  std::fesetround(FE_TONEAREST);
  for (std::size_t i = 0; i < patterns; ++i)
    ASSERT_EQ(element(type, back.data(), i), reference::encode(type, wide[i])) << "pattern " << i;
}

INSTANTIATE_TEST_SUITE_P(Formats, Conversions,
                         testing::Values(DataType::kFloat16, DataType::kBfloat16, DataType::kFloat8e4m3,
                                         DataType::kFloat8e5m2),
                         [](const auto& instance) { return std::string(name_of(instance.param)); });

TEST(NarrowFloats, AreThoseThatConvert) {
  for (const DataType type : kAllTypes) {
    for (const Kernels* target : all_targets()) {
      const auto index = static_cast<std::size_t>(type);
      EXPECT_EQ(target->widen[index] != nullptr, narrow_float(type)) << target->name << " " << name_of(type);
      EXPECT_EQ(target->narrow[index] != nullptr, narrow_float(type)) << target->name << " " << name_of(type);
    }
  }
}

}  // namespace
}  // namespace amalgam::reduce
