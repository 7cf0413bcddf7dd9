#include "support/random_calls.h"

#include <memory>
#include <vector>

namespace support {
namespace {

std::size_t random_count(std::mt19937_64& random) {
  switch (random() % 5) {
    case 0: return random() % 4;
    case 1: return random() % 300;
    case 2: return random() % 5000;
    case 3: return random() % 70'000;
    default: return 1ULL << (random() % 16);
  }
}

}  // namespace

// The same on every rank, since all draw from the same seed.
Case random_case(std::mt19937_64& random, int ranks) {
  Case c;
  c.ranks = ranks;
  c.call = kCalls[random() % std::size(kCalls)];
  c.type = static_cast<ncclDataType_t>(random() % 12);
  c.op = reduces(c.call) ? static_cast<int>(random() % 6) : static_cast<int>(ncclSum);
  c.count = random_count(random);
  c.root = static_cast<int>(random() % static_cast<std::uint64_t>(ranks));
  c.in_place = c.call != Call::kAllToAll && random() % 2 == 0;
  c.seed = random();
  return c;
}

namespace {

void run_group(const Rank& self, std::mt19937_64& random) {
  std::vector<std::unique_ptr<Buffers>> buffers;
  const std::size_t calls = 1 + random() % 4;
  std::vector<int> sent(3000, self.rank), got(3000, -1);
  const int shift = static_cast<int>(random() % static_cast<std::uint64_t>(self.ranks));
  const std::size_t message = random() % 3000;
  NCCL_OK(ncclGroupStart());
  for (std::size_t i = 0; i < calls; ++i) {
    Case c = random_case(random, self.ranks);
    if (c.op == kPreMulSum) c.op = ncclSum;
    buffers.push_back(std::make_unique<Buffers>(c, self.rank));
    NCCL_OK(issue(c, *buffers.back(), static_cast<ncclRedOp_t>(c.op), self.comm));
  }
  NCCL_OK(ncclRecv(got.data(), message, ncclInt32, (self.rank + self.ranks - shift) % self.ranks, self.comm, nullptr));
  NCCL_OK(ncclSend(sent.data(), message, ncclInt32, (self.rank + shift) % self.ranks, self.comm, nullptr));
  NCCL_OK(ncclGroupEnd());
  for (const auto& each : buffers) EXPECT_TRUE(each->check());
  for (std::size_t i = 0; i < message; ++i) ASSERT_EQ(got[i], (self.rank + self.ranks - shift) % self.ranks);
}

void run_split(const Rank& self, std::mt19937_64& random) {
  const std::uint64_t colors = 1 + random() % 3, salt = random(), inner = random();
  const int color = static_cast<int>((static_cast<std::uint64_t>(self.rank) * 2654435761U + salt) % colors);
  Rank part;
  NCCL_OK(ncclCommSplit(self.comm, color, self.rank, &part.comm, nullptr));
  NCCL_OK(ncclCommUserRank(part.comm, &part.rank));
  NCCL_OK(ncclCommCount(part.comm, &part.ranks));
  std::mt19937_64 same(inner);
  for (int i = 0; i < 3; ++i) run_case(part, random_case(same, part.ranks));
  NCCL_OK(ncclCommDestroy(part.comm));
}

}  // namespace

void run_random_calls(const Rank& self, std::uint64_t seed, std::uint64_t calls) {
  std::mt19937_64 random(seed);
  for (std::uint64_t i = 0; i < calls && !::testing::Test::HasFailure(); ++i) {
    const std::uint64_t kind = random() % 20;
    if (kind == 0) {
      run_split(self, random);
    } else if (kind < 5) {
      run_group(self, random);
    } else {
      run_case(self, random_case(random, self.ranks), random() % 3);
    }
  }
}

}  // namespace support
