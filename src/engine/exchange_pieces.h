#pragma once

// The exchanges of a call that is split by islands, on one rank: each piece is a slice of a part of a chunk, and an
// operation of its own among the part's team. All ranks work on them in one order (chunk, slice, part), so that the
// first that is not done anywhere can always move.

#include <vector>

#include "engine/exchange.h"
#include "engine/pieces.h"
#include "engine/team.h"

namespace amalgam::engine {

class ExchangePieces final : public Pieces {
 public:
  // `slice_bytes`: agreed by all ranks.
  Status start(const Exchange& exchange, std::size_t slice_bytes, Teams& teams);
  std::uint64_t total() const;  // pieces of all teams: how many numbers the call needs, the same on every rank

  std::uint64_t size() const override;
  Result<Piece> piece(std::uint64_t index, std::byte* slot) override;
  std::uint64_t uploads() const override { return 1; }
  std::uint64_t downloads() const override { return 1; }
  Copy up(std::uint64_t index, std::uint64_t which) const override;
  Copy down(std::uint64_t index, std::uint64_t which) const override;
  std::uint64_t chunk_of(std::uint64_t index) const override { return locate(index).chunk; }

  const Exchange& exchange() const { return exchange_; }

 private:
  struct Mine {  // a part whose team this rank is in
    plan::Hierarchy::Part part;
    std::uint64_t index = 0;  // among all parts
    Team* team = nullptr;
  };
  struct Item {
    std::uint32_t slice, mine;
  };
  struct Shape {  // of a chunk
    std::uint64_t slices = 0, parts = 0;
    std::vector<Mine> mine;
    std::vector<Item> items;

    std::uint64_t numbers() const { return slices * parts; }
  };
  struct Place {
    std::uint64_t chunk, slice;
    const Shape* shape;
    const Mine* mine;
    plan::Range range;  // of the chunk
  };
  Status shape(std::uint64_t count, Teams& teams, Shape* shape);
  bool repeats(const Exchange& exchange, std::size_t slice_bytes) const;
  Place locate(std::uint64_t index) const;
  std::uint64_t slices_of(const plan::Range& range) const { return (range.count + slice_ - 1) / slice_; }

  Exchange exchange_;
  std::uint64_t element_bytes_ = 1, slice_ = 1;  // elements
  Shape full_, last_;                            // of all chunks but the last, and of the last
  std::array<std::byte, 8> one_{};               // of the call's type, where the calls inside have applied the scalar
};

}  // namespace amalgam::engine
