#include "data.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace perf {
namespace {

// Products are of twos: four of them stay inside every type.
constexpr int kTwos = 4;
constexpr int kLargest = 100;

int rounded_up(int a, int b) { return (a + b - 1) / b; }

double combine(Op op, double a, double b) {
  switch (op) {
    case Op::kProd: return a * b;
    case Op::kMax: return std::max(a, b);
    case Op::kMin: return std::min(a, b);
    default: return a + b;
  }
}

// The largest number such that ranks · k is a number of the type for all k up to it, and so is the sum of ranks of them
// after the division: then each rank's share of the average is a whole number, and averages are exact.
int most_shares(const Type& type, int ranks) {
  int most = 0;
  while (most < std::min(kLargest, type.exact / ranks)) {
    const double next = static_cast<double>(most + 1) * ranks;
    std::array<std::byte, 8> element{};
    encode(type, next, element.data());
    if (decode(type, element.data()) != next) break;
    ++most;
  }
  return most;
}

}  // namespace

Data::Data(const Type& type, Op op, int ranks)
    : type_(type),
      op_(op),
      ranks_(ranks),
      most_shares_(most_shares(type, ranks)),
      inputs_(static_cast<std::size_t>(ranks)) {}

const char* name_of(Op op) {
  static constexpr std::array<const char*, 7> kNames = {"none", "sum", "prod", "max", "min", "avg", "mulsum"};
  return kNames[static_cast<std::size_t>(op)];
}

// A number of rank `rank` such that the magnitudes of all ranks add up to at most `limit`.
double Data::small_number(int rank, std::size_t index, int limit) const {
  const std::uint64_t random = mix(static_cast<std::uint64_t>(rank), index);
  const int most = std::min(limit / ranks_, kLargest);
  double number = static_cast<double>(random % static_cast<std::uint64_t>(most + 1));
  if (most == 0) {  // too many ranks for each to add something: every so many-th does
    const int stride = rounded_up(ranks_, limit);
    number = (index + static_cast<std::size_t>(rank)) % static_cast<std::size_t>(stride) == 0 ? 1 : 0;
  }
  const bool negative = type_.is_signed && (op_ != Op::kAvg || !type_.is_float) && (random >> 40 & 1) != 0;
  return negative && number != 0 ? -number : number;
}

double Data::value(int rank, std::size_t index) const {
  const std::uint64_t random = mix(static_cast<std::uint64_t>(rank), index);
  switch (op_) {
    case Op::kProd: {
      const auto stride = static_cast<std::size_t>(rounded_up(ranks_, kTwos));
      const double number = (index + static_cast<std::size_t>(rank)) % stride == 0 && (random & 3) != 0 ? 2 : 1;
      return type_.is_signed && (random >> 40 & 1) != 0 ? -number : number;
    }
    case Op::kMin:
    case Op::kMax: {
      const int most = std::min(type_.exact, kLargest);
      const auto number = static_cast<double>(random % static_cast<std::uint64_t>(most + 1));
      return type_.is_signed && (random >> 40 & 1) != 0 && number != 0 ? -number : number;
    }
    case Op::kAvg:
      if (!type_.is_float || most_shares_ == 0) return small_number(rank, index, type_.exact);
      return static_cast<double>(ranks_) * static_cast<double>(random % static_cast<std::uint64_t>(most_shares_ + 1));
    case Op::kMulSum: return small_number(rank, index, type_.exact / 2);
    default: return small_number(rank, index, type_.exact);
  }
}

double Data::reduced(std::size_t index) const {
  double all = 0;
  for (int rank = 0; rank < ranks_; ++rank) {
    const double mine = value(rank, index) * (op_ == Op::kMulSum ? scalar(rank) : 1);
    all = rank == 0 ? mine : combine(op_, all, mine);
  }
  if (op_ != Op::kAvg) return all;
  return type_.is_float ? all / ranks_ : std::trunc(all / ranks_);
}

const Pattern& Data::input(int rank) {
  std::unique_ptr<Pattern>& pattern = inputs_[static_cast<std::size_t>(rank)];
  if (pattern == nullptr && op_ == Op::kNone)
    pattern = std::make_unique<Pattern>(Pattern::of_noise(type_, static_cast<std::uint64_t>(rank)));
  if (pattern == nullptr)
    pattern = std::make_unique<Pattern>(type_, [&](std::size_t index) { return value(rank, index); });
  return *pattern;
}

const Pattern& Data::result() {
  if (result_ == nullptr) result_ = std::make_unique<Pattern>(type_, [&](std::size_t index) { return reduced(index); });
  return *result_;
}

}  // namespace perf
