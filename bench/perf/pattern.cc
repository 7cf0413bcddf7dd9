#include "pattern.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace perf {

std::uint64_t mix(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t z = seed * 0xd1342543de82ef95ULL + (index + 1) * 0x9e3779b97f4a7c15ULL;  // splitmix64
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

Pattern::Pattern(const Type& type, const std::function<double(std::size_t)>& value) : Pattern(type) {
  for (std::size_t i = 0; i < kPeriod; ++i) encode(type, value(i), &period_[i * type.bytes]);
}

Pattern Pattern::of_noise(const Type& type, std::uint64_t seed) {
  Pattern pattern(type);
  for (std::size_t i = 0; i < kPeriod; ++i) {
    const std::uint64_t bits = mix(seed, i);
    std::memcpy(&pattern.period_[i * type.bytes], &bits, type.bytes);
  }
  return pattern;
}

void Pattern::fill(std::byte* to, std::size_t count, std::size_t start) const {
  const std::size_t size = type_->bytes;
  std::size_t at = start % kPeriod;
  while (count > 0) {
    const std::size_t run = std::min(count, kPeriod - at);
    std::memcpy(to, &period_[at * size], run * size);
    to += run * size;
    count -= run;
    at = 0;
  }
}

bool Pattern::is_wrong(const std::byte* have, const std::byte* want, double places) const {
  if (std::memcmp(have, want, type_->bytes) == 0) return false;
  if (places == 0) return true;
  const double wanted = decode(*type_, want);
  return !(std::fabs(decode(*type_, have) - wanted) <= places * unit_in_last_place(*type_, wanted));  // NaN is wrong
}

std::size_t Pattern::count_wrong(const std::byte* from, std::size_t count, std::size_t start, double places) const {
  const std::size_t size = type_->bytes;
  std::size_t at = start % kPeriod;
  std::size_t wrong = 0;
  while (count > 0) {
    const std::size_t run = std::min(count, kPeriod - at);
    const std::byte* want = &period_[at * size];
    if (std::memcmp(from, want, run * size) != 0)
      for (std::size_t i = 0; i < run; ++i) wrong += is_wrong(from + i * size, want + i * size, places) ? 1 : 0;
    from += run * size;
    count -= run;
    at = 0;
  }
  return wrong;
}

}  // namespace perf
