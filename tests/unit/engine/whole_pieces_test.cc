#include "engine/whole_pieces.h"

#include <gtest/gtest.h>

#include <vector>

namespace amalgam::engine {
namespace {

constexpr Collective kAll[] = {Collective::kAllReduce,     Collective::kReduce,    Collective::kBroadcast,
                               Collective::kReduceScatter, Collective::kAllGather, Collective::kAllToAll,
                               Collective::kGather,        Collective::kScatter,   Collective::kSend,
                               Collective::kRecv};
constexpr int kRanks = 3;
constexpr std::size_t kPiece = 512;

Request request(Collective collective, std::uint64_t count, bool in, bool out) {
  static std::vector<std::byte> send(1 << 16), receive(1 << 16);
  Request made;
  made.collective = collective;
  made.type = DataType::kFloat64;
  made.root = 1;
  made.count = count;
  made.in = in ? send.data() : nullptr;
  made.out = out ? receive.data() : nullptr;
  return made;
}

template <typename Visit>
void for_all(const Visit& visit) {
  for (const Collective collective : kAll)
    for (const std::uint64_t count : {1, 7, 64, 65, 1000})
      for (int rank = 0; rank < kRanks; ++rank) {
        const Request call =
            request(collective, count, collective != Collective::kRecv, collective != Collective::kSend);
        SCOPED_TRACE(std::string(name_of(collective)) + ", count " + std::to_string(count) + ", rank " +
                     std::to_string(rank));
        visit(call, rank, WholePieces(call, rank, kRanks, kPiece));
      }
}

TEST(WholePieces, AllRanksCutAlike) {
  for_all([](const Request& call, int, const WholePieces& pieces) {
    const WholePieces first(call, 0, kRanks, kPiece);
    EXPECT_EQ(pieces.size(), first.size());
    for (std::uint64_t i = 0; i < pieces.size(); ++i) EXPECT_EQ(pieces.in_place(i).count, first.in_place(i).count);
  });
}

TEST(WholePieces, TogetherTheyAreTheWholeCall) {
  for_all([](const Request& call, int, const WholePieces& pieces) {
    std::uint64_t elements = 0;
    for (std::uint64_t i = 0; i < pieces.size(); ++i) {
      const Request piece = pieces.in_place(i);
      EXPECT_EQ(piece.stride, call.count);
      if (call.in != nullptr) {
        EXPECT_EQ(static_cast<const std::byte*>(piece.in), static_cast<const std::byte*>(call.in) + elements * 8);
      }
      elements += piece.count;
    }
    EXPECT_EQ(elements, call.count);
  });
}

// What goes up lies where the staged piece reads it, what goes down where it is written, each inside the piece's bytes.
TEST(WholePieces, CopiesMeetTheStagedPiece) {
  for_all([](const Request& call, int, const WholePieces& pieces) {
    std::vector<std::byte> stage(kPiece);
    for (std::uint64_t i = 0; i < pieces.size(); ++i) {
      const Request piece = pieces.staged(i, stage.data());
      const auto check = [&](const Pieces::Copy& copy, const void* buffer, std::uint64_t block) {
        ASSERT_NE(buffer, nullptr);
        EXPECT_EQ(copy.bytes, piece.count * 8);
        EXPECT_EQ(stage.data() + copy.offset, static_cast<const std::byte*>(buffer) + block * copy.bytes);
        EXPECT_LE(copy.offset + copy.bytes, kPiece);
      };
      for (std::uint64_t b = 0; b < pieces.uploads(); ++b) check(pieces.up(i, b), piece.in, b);
      for (std::uint64_t b = 0; b < pieces.downloads(); ++b) check(pieces.down(i, b), piece.out, b);
    }
    (void)call;
  });
}

TEST(WholePieces, EveryByteOfABlockIsCopiedOnce) {
  for_all([](const Request& call, int, const WholePieces& pieces) {
    for (std::uint64_t block = 0; block < pieces.uploads(); ++block) {
      auto* next = static_cast<std::byte*>(const_cast<void*>(call.in)) + block * call.count * 8;
      for (std::uint64_t i = 0; i < pieces.size(); ++i) {
        EXPECT_EQ(pieces.up(i, block).user, next);
        next += pieces.up(i, block).bytes;
      }
      EXPECT_EQ(next, static_cast<const std::byte*>(call.in) + (block + 1) * call.count * 8);
    }
  });
}

TEST(WholePieces, AnEmptyMessageIsOnePiece) {
  const Request call = request(Collective::kSend, 0, true, false);
  const WholePieces pieces(call, 0, kRanks, kPiece);
  EXPECT_EQ(pieces.size(), 1U);
  EXPECT_EQ(pieces.in_place(0).count, 0U);
}

TEST(WholePieces, TheSmallestStageHasRoomForOneElementOfEveryCall) {
  for (const Collective collective : kAll) {
    Request call = request(collective, 5, true, true);
    const WholePieces pieces(call, 1, kRanks, WholePieces::needed(kRanks));
    for (std::uint64_t b = 0; b < pieces.downloads(); ++b) {
      const Pieces::Copy copy = pieces.down(0, b);
      EXPECT_LE(copy.offset + copy.bytes, WholePieces::needed(kRanks)) << name_of(collective);
    }
  }
}

}  // namespace
}  // namespace amalgam::engine
