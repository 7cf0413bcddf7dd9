// Random calls against the plain oracle: collectives, types, operations, counts, roots, groups of calls, splits and messages.
//
// AMALGAM_TEST_CASES sets how many (400 by default), AMALGAM_TEST_SEED the seed; both are printed.

#include <cstdlib>
#include <random>

#include "support/harness.h"

namespace {

using support::Call;
using support::Case;
using support::Rank;

std::uint64_t option(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::size_t random_count(std::mt19937_64& random) {
  switch (random() % 5) {
    case 0: return random() % 4;
    case 1: return random() % 300;
    case 2: return random() % 5000;
    case 3: return random() % 70'000;
    default: return 1ULL << (random() % 16);
  }
}

// The same on every rank, since all draw from the same seed.
Case random_case(std::mt19937_64& random, int ranks) {
  Case c;
  c.ranks = ranks;
  c.call = support::kCalls[random() % std::size(support::kCalls)];
  c.type = static_cast<ncclDataType_t>(random() % 12);
  c.op = support::reduces(c.call) ? static_cast<int>(random() % 6) : static_cast<int>(ncclSum);
  c.count = random_count(random);
  c.root = static_cast<int>(random() % static_cast<std::uint64_t>(ranks));
  c.in_place = c.call != Call::kAllToAll && random() % 2 == 0;
  c.seed = random();
  return c;
}

void run_group(const Rank& self, std::mt19937_64& random) {
  std::vector<std::unique_ptr<support::Buffers>> buffers;
  const std::size_t calls = 1 + random() % 4;
  std::vector<int> sent(3000, self.rank), got(3000, -1);
  const int shift = static_cast<int>(random() % static_cast<std::uint64_t>(self.ranks));
  const std::size_t message = random() % 3000;
  NCCL_OK(ncclGroupStart());
  for (std::size_t i = 0; i < calls; ++i) {
    Case c = random_case(random, self.ranks);
    if (c.op == support::kPreMulSum) c.op = ncclSum;
    buffers.push_back(std::make_unique<support::Buffers>(c, self.rank));
    NCCL_OK(support::issue(c, *buffers.back(), static_cast<ncclRedOp_t>(c.op), self.comm));
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
  for (int i = 0; i < 3; ++i) support::run_case(part, random_case(same, part.ranks));
  NCCL_OK(ncclCommDestroy(part.comm));
}

TEST(Random, CallsGiveWhatTheOracleSays) {
  const std::uint64_t seed = option("AMALGAM_TEST_SEED", 20261125), cases = option("AMALGAM_TEST_CASES", 400);
  std::printf("seed %llu, %llu cases a communicator\n", static_cast<unsigned long long>(seed), static_cast<unsigned long long>(cases));
  for (int ranks : {2, 3, 4, 6, 7}) {
    support::run_ranks(ranks, [&](const Rank& self) {
      std::mt19937_64 random(seed + static_cast<std::uint64_t>(ranks));
      for (std::uint64_t i = 0; i < cases && !::testing::Test::HasFailure(); ++i) {
        const std::uint64_t kind = random() % 20;
        if (kind == 0) {
          run_split(self, random);
        } else if (kind < 5) {
          run_group(self, random);
        } else {
          support::run_case(self, random_case(random, self.ranks), random() % 3);
        }
      }
    });
  }
}

}  // namespace
