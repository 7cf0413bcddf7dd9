#pragma once

// What every rank puts in and what must come out, for one type and operation.
//
// Moved data is noise that differs from rank to rank. Reduced data is small whole numbers for which every partial
// result in any order is representable in the type, so that sum, prod, min, max and premultiplied sums are exact;
// averages of floats may be two units in the last place off, since libraries divide at different moments.
//
// Threads    one (patterns are made at first use)

#include <memory>
#include <string>
#include <vector>

#include "pattern.h"

namespace perf {

enum class Op { kNone, kSum, kProd, kMax, kMin, kAvg, kMulSum };
inline constexpr Op kReductions[] = {Op::kSum, Op::kProd, Op::kMax, Op::kMin, Op::kAvg, Op::kMulSum};
const char* name_of(Op op);

class Data {
 public:
  Data(const Type& type, Op op, int ranks);

  const Type& type() const { return type_; }
  Op op() const { return op_; }
  const Pattern& input(int rank);
  const Pattern& result();                                                        // of the reduction
  double tolerance() const { return op_ == Op::kAvg && type_.is_float ? 2 : 0; }  // units in the last place
  double scalar(int rank) const { return 1 + rank % 2; }                          // of mulsum

 private:
  double value(int rank, std::size_t index) const;
  double small_number(int rank, std::size_t index, int limit) const;
  double reduced(std::size_t index) const;

  const Type& type_;
  Op op_;
  int ranks_;
  int most_shares_;  // of avg
  std::vector<std::unique_ptr<Pattern>> inputs_;
  std::unique_ptr<Pattern> result_;
};

}  // namespace perf
