#include "base/types.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace amalgam {
namespace {

TEST(DataType, HasNcclsNumbersAndSizes) {
  const std::size_t sizes[kDataTypes] = {1, 1, 4, 4, 8, 8, 2, 4, 8, 2, 1, 1};
  for (int i = 0; i < kDataTypes; ++i)
    EXPECT_EQ(size_of(static_cast<DataType>(i)), sizes[i]) << name_of(static_cast<DataType>(i));
  EXPECT_EQ(static_cast<int>(DataType::kBfloat16), 9);
}

TEST(DataType, KnowsWhichAreFloating) {
  for (DataType type :
       {DataType::kInt8, DataType::kUint8, DataType::kInt32, DataType::kUint32, DataType::kInt64, DataType::kUint64})
    EXPECT_FALSE(is_float(type)) << name_of(type);
  for (DataType type : {DataType::kFloat16, DataType::kFloat32, DataType::kFloat64, DataType::kBfloat16,
                        DataType::kFloat8e4m3, DataType::kFloat8e5m2})
    EXPECT_TRUE(is_float(type)) << name_of(type);
}

TEST(Names, AreThoseOfNcclTests) {
  EXPECT_EQ(name_of(DataType::kFloat16), "half");
  EXPECT_EQ(name_of(DataType::kFloat8e5m2), "f8e5m2");
  EXPECT_EQ(name_of(ReduceOp::kMax), "max");
  EXPECT_EQ(name_of(ReduceOp::kPreMulSum), "premulsum");
  EXPECT_EQ(name_of(Collective::kAllToAllV), "alltoallv");
  EXPECT_EQ(name_of(Collective::kRecv), "recv");
}

TEST(Names, AreAllDifferent) {
  std::set<std::string_view> names;
  for (int i = 0; i < kDataTypes; ++i) names.insert(name_of(static_cast<DataType>(i)));
  for (int i = 0; i < kReduceOps; ++i) names.insert(name_of(static_cast<ReduceOp>(i)));
  for (int i = 0; i < kCollectives; ++i) names.insert(name_of(static_cast<Collective>(i)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(kDataTypes + kReduceOps + kCollectives));
}

TEST(Collective, KnowsWhichReduce) {
  int count = 0;
  for (int i = 0; i < kCollectives; ++i) count += reduces(static_cast<Collective>(i)) ? 1 : 0;
  EXPECT_EQ(count, 3);
  EXPECT_TRUE(reduces(Collective::kReduceScatter));
}

}  // namespace
}  // namespace amalgam
