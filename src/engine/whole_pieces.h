#pragma once

// How a call is cut into pieces that fit into staging memory, and where each piece lies there.
//
// All ranks of a mixed communicator cut alike, those whose buffers the CPU can use as well: a piece is a whole call of
// the same collective on a range of every block. Staged, the blocks of a piece lie close together, in place where NCCL
// allows that: then one copy of the data is enough.
//
// Pure; elements of the call's type unless called bytes.

#include <cstddef>
#include <cstdint>

#include "engine/pieces.h"

namespace amalgam::engine {

class WholePieces final : public Pieces {
 public:
  struct Program {
    const Prepared* prepared = nullptr;
    bool fp32 = false;
  };

  WholePieces() = default;
  // `piece_bytes`: agreed by all ranks, at least needed().
  WholePieces(const Request& call, int rank, int ranks, std::size_t piece_bytes);
  static std::size_t needed(int ranks);  // bytes in which every collective of every type has a piece

  std::uint64_t size() const override { return pieces_; }
  // Programs of all pieces and of the last one, which may be smaller; not needed for a message to oneself.
  void set_programs(Program all, Program last, Context& context) {
    program_ = all;
    last_ = last;
    context_ = &context;
  }
  Result<Piece> piece(std::uint64_t index, std::byte* slot) override;
  std::uint64_t uploads() const override { return reads_ ? in_.blocks : 0; }
  std::uint64_t downloads() const override { return writes_ ? out_.blocks : 0; }
  Copy up(std::uint64_t index, std::uint64_t block) const override;
  Copy down(std::uint64_t index, std::uint64_t block) const override;
  std::uint64_t chunk_of(std::uint64_t) const override { return 0; }

  // Piece `index` on the caller's own buffers, or staged at `base`.
  Request in_place(std::uint64_t index) const;
  Request staged(std::uint64_t index, std::byte* base) const;

 private:
  struct Side {
    std::uint64_t blocks = 0;
    std::uint64_t at = 0;  // first block in the stage, in blocks
  };
  void place(int rank, int ranks);
  std::uint64_t first(std::uint64_t index) const { return index * most_; }
  std::uint64_t count(std::uint64_t index) const;
  Copy copy(const Side& side, const void* user, std::uint64_t index, std::uint64_t block) const;

  Request call_;
  std::uint64_t size_ = 1;  // bytes of an element
  bool reads_ = false, writes_ = false;
  Side in_, out_;
  std::uint64_t pieces_ = 1;
  std::uint64_t most_ = 0;  // elements of a block in one piece
  Program program_, last_;
  Context* context_ = nullptr;
};

}  // namespace amalgam::engine
