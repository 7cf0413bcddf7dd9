// Calls split by islands, on plain arrays: what the calls inside, the exchanges and again the calls inside leave in
// every rank's memory is what the collective defines, for random islands, counts, roots and both placements.

#include "engine/exchange.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <numeric>
#include <random>

namespace amalgam::engine {
namespace {

using plan::Hierarchy;
using Value = std::int64_t;

constexpr Collective kCollectives[] = {Collective::kAllReduce, Collective::kReduce, Collective::kBroadcast,
                                       Collective::kReduceScatter, Collective::kAllGather};

// A part of the device's memory, never written before.
class Scratch {
 public:
  Scratch()
      : memory_(mmap(nullptr, Exchange::kScratchBytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {}
  ~Scratch() { munmap(memory_, Exchange::kScratchBytes); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::byte* base() const { return static_cast<std::byte*>(memory_); }

 private:
  void* memory_;
};

Value given(int rank, std::uint64_t element) { return (rank + 1) * 1000003 + static_cast<Value>(element) * 7; }

// All ranks of one call.
class World {
 public:
  World(Collective collective, const Hierarchy& hierarchy, std::uint64_t count, int root, bool in_place)
      : collective_(collective), hierarchy_(hierarchy), count_(count), root_(root), scratch_(ranks()) {
    for (std::size_t rank = 0; rank < ranks(); ++rank) add_rank(static_cast<int>(rank), in_place);
  }

  void run() {
    const std::uint64_t chunks = exchanges_.front().chunks();
    for (const Exchange& exchange : exchanges_) ASSERT_EQ(exchange.chunks(), chunks);
    for (int island = 0; island < hierarchy_.islands(); ++island)
      for (std::uint64_t chunk = 0; chunk < ahead(island, chunks); ++chunk) {
        inside(island, chunk, &Exchange::before);
        inside(island, chunk, &Exchange::beside);
      }
    for (std::uint64_t chunk = 0; chunk < chunks; ++chunk) {
      for (const Hierarchy::Part& part : hierarchy_.parts(collective_, root_, exchanges_.front().count(chunk)))
        exchange(part, chunk);
      for (int island = 0; island < hierarchy_.islands(); ++island) {
        inside(island, chunk, &Exchange::after);
        const std::uint64_t next = chunk + ahead(island, chunks);
        if (next < chunks) inside(island, next, &Exchange::before);
      }
    }
  }

  void check() const {
    for (std::size_t rank = 0; rank < ranks(); ++rank) {
      if (collective_ == Collective::kReduce && static_cast<int>(rank) != root_) continue;
      const std::uint64_t blocks = collective_ == Collective::kAllGather ? ranks() : 1;
      const auto* got = static_cast<const Value*>(exchanges_[rank].call().out);
      for (std::uint64_t i = 0; i < blocks * count_; ++i)
        ASSERT_EQ(got[i], expected(rank, i)) << "rank " << rank << ", element " << i;
    }
  }

 private:
  std::size_t ranks() const { return static_cast<std::size_t>(hierarchy_.ranks()); }
  std::uint64_t ahead(int island, std::uint64_t chunks) const {
    return std::min(chunks, exchanges_[hierarchy_.members(island).front()].ahead());
  }

  void add_rank(int rank, bool in_place) {
    const std::uint64_t all = ranks() * count_, own = static_cast<std::uint64_t>(rank) * count_;
    const bool scatters = collective_ == Collective::kReduceScatter, gathers = collective_ == Collective::kAllGather;
    std::vector<Value>& in = in_.emplace_back(scatters || (in_place && gathers) ? all : count_, -1);
    std::vector<Value>& out = out_.emplace_back(gathers ? all : count_, -2);
    Value* from = in.data() + (in_place && gathers ? own : 0);
    for (std::uint64_t i = 0; i < (scatters ? all : count_); ++i) from[i] = given(rank, i);
    Request call;
    call.collective = collective_;
    call.type = DataType::kInt64;
    call.count = count_;
    call.root = root_;
    call.in = from;
    call.out = !in_place ? out.data() : scatters ? in.data() + own : in.data();
    exchanges_.emplace_back(call, hierarchy_, rank, scratch_[static_cast<std::size_t>(rank)].base());
  }

  Value sum(std::uint64_t element) const {
    Value total = 0;
    for (std::size_t rank = 0; rank < ranks(); ++rank) total += given(static_cast<int>(rank), element);
    return total;
  }
  Value expected(std::size_t rank, std::uint64_t i) const {
    switch (collective_) {
      case Collective::kBroadcast: return given(root_, i);
      case Collective::kAllGather: return given(static_cast<int>(i / count_), i % count_);
      case Collective::kReduceScatter: return sum(rank * count_ + i);
      default: return sum(i);
    }
  }

  // The same call on all ranks of an island, one after another.
  void inside(int island, std::uint64_t chunk, void (Exchange::*which)(std::uint64_t, std::vector<Request>*) const) {
    std::vector<std::vector<Request>> calls;
    for (int rank : hierarchy_.members(island)) (exchanges_[rank].*which)(chunk, &calls.emplace_back());
    if (collective_ == Collective::kReduce && which == &Exchange::after) return messages(calls);
    for (std::size_t i = 0; i < calls.front().size(); ++i) {
      std::vector<Request> call;
      for (const std::vector<Request>& rank : calls) {
        ASSERT_EQ(rank.size(), calls.front().size());
        call.push_back(rank[i]);
        ASSERT_EQ(call.back().collective, call.front().collective);
        ASSERT_EQ(call.back().count, call.front().count);
        ASSERT_EQ(call.back().root, call.front().root);
      }
      carry_out(call);
    }
  }

  static void messages(const std::vector<std::vector<Request>>& calls) {
    for (std::size_t to = 0; to < calls.size(); ++to)
      for (const Request& receive : calls[to]) {
        if (receive.collective != Collective::kRecv) continue;
        const std::vector<Request>& sends = calls[receive.root];
        ASSERT_EQ(sends.size(), 1U);
        ASSERT_EQ(sends[0].root, static_cast<int>(to));
        ASSERT_EQ(sends[0].count, receive.count);
        std::memcpy(receive.out, sends[0].in, receive.count * sizeof(Value));
      }
  }

  // A library's collective by its definition.
  static void carry_out(const std::vector<Request>& call) {
    const std::uint64_t count = call.front().count;
    const bool scatters = call.front().collective == Collective::kReduceScatter;
    const bool gathers = call.front().collective == Collective::kAllGather;
    std::vector<Value> result((scatters || gathers ? call.size() : 1) * count, 0);
    for (std::size_t place = 0; place < call.size(); ++place) {
      const auto* in = static_cast<const Value*>(call[place].in);
      if (call.front().collective == Collective::kBroadcast) {
        if (static_cast<int>(place) == call.front().root) result.assign(in, in + count);
      } else if (gathers) {
        std::copy(in, in + count, result.begin() + static_cast<std::ptrdiff_t>(place * count));
      } else {
        for (std::uint64_t i = 0; i < result.size(); ++i) result[i] += in[i];
      }
    }
    for (std::size_t place = 0; place < call.size(); ++place) {
      if (call.front().collective == Collective::kReduce && static_cast<int>(place) != call.front().root) continue;
      const Value* from = result.data() + (scatters ? place * count : 0);
      std::memcpy(call[place].out, from, (gathers ? result.size() : count) * sizeof(Value));
    }
  }

  void exchange(const Hierarchy::Part& part, std::uint64_t chunk) {
    std::vector<Value> moved(part.range.count, 0);
    const bool reduces_here = reduces(collective_);
    for (std::size_t island = 0; island < part.team.size(); ++island) {
      ASSERT_EQ(hierarchy_.island_of(part.team[island]), static_cast<int>(island));
      const auto ends = exchanges_[part.team[island]].ends(part, chunk, part.range.first);
      ASSERT_EQ(ends.from != nullptr, reduces_here || static_cast<int>(island) == part.root);
      if (ends.from == nullptr) continue;
      const auto* from = reinterpret_cast<const Value*>(ends.from);
      for (std::uint64_t i = 0; i < moved.size(); ++i) moved[i] += from[i];
    }
    for (int rank : part.team)
      if (std::byte* to = exchanges_[rank].ends(part, chunk, part.range.first).to; to != nullptr)
        std::memcpy(to, moved.data(), moved.size() * sizeof(Value));
  }

  Collective collective_;
  const Hierarchy& hierarchy_;
  std::uint64_t count_;
  int root_;
  std::vector<Scratch> scratch_;
  std::vector<std::vector<Value>> in_, out_;
  std::vector<Exchange> exchanges_;
};

// Ranks in any order, some in no island.
Hierarchy random_hierarchy(std::mt19937& random) {
  const int ranks = 2 + static_cast<int>(random() % 9);
  std::vector<int> order(static_cast<std::size_t>(ranks));
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), random);
  std::vector<std::vector<int>> islands;
  for (std::size_t at = 0; at < order.size();) {
    const std::size_t size = std::min<std::size_t>(1 + random() % 4, order.size() - at);
    std::vector<int> island(order.begin() + static_cast<std::ptrdiff_t>(at),
                            order.begin() + static_cast<std::ptrdiff_t>(at + size));
    std::sort(island.begin(), island.end());
    if (size > 1) islands.push_back(island);
    at += size;
  }
  return {islands, ranks};
}

TEST(Exchange, GivesWhatTheCollectiveDefines) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 60; ++round)
    for (Collective collective : kCollectives) {
      const Hierarchy hierarchy = random_hierarchy(random);
      const std::uint64_t counts[] = {1 + random() % 7, 1 + random() % 1000, 100'000 + random() % 200'000};
      const std::uint64_t count = counts[round % 20 == 0 ? 2 : round % 2];
      const int root = static_cast<int>(random() % static_cast<unsigned>(hierarchy.ranks()));
      SCOPED_TRACE(std::string(name_of(collective)) + ", " + std::to_string(hierarchy.ranks()) + " ranks, " +
                   std::to_string(hierarchy.islands()) + " islands, count " + std::to_string(count) + ", root " +
                   std::to_string(root) + ", round " + std::to_string(round));
      World world(collective, hierarchy, count, root, round % 3 == 0);
      world.run();
      world.check();
      if (testing::Test::HasFailure()) return;
    }
}

TEST(Exchange, ChunksStayInsideTheScratch) {
  const Hierarchy hierarchy({{0, 1}, {2, 3, 4}}, 40);
  for (Collective collective : {Collective::kReduce, Collective::kReduceScatter}) {
    std::byte* base = reinterpret_cast<std::byte*>(std::uintptr_t{1} << 40);
    Request call;
    call.collective = collective;
    call.type = DataType::kFloat64;
    call.count = std::uint64_t{1} << 33;
    call.root = 39;
    for (int rank : {0, 4}) {
      const Exchange exchange(call, hierarchy, rank, base);
      for (std::uint64_t chunk : {std::uint64_t{0}, std::uint64_t{1}})
        for (const Hierarchy::Part& part : hierarchy.parts(collective, call.root, exchange.count(chunk))) {
          if (part.team[hierarchy.island_of(rank)] != rank || part.block == rank) continue;
          const std::byte* from = exchange.ends(part, chunk, part.range.first).from;
          EXPECT_GE(from, base + chunk * Exchange::kScratchBytes / 2);
          EXPECT_LE(from + part.range.count * 8, base + (chunk + 1) * Exchange::kScratchBytes / 2);
        }
    }
  }
}

}  // namespace
}  // namespace amalgam::engine
