#include "engine/whole_pieces.h"

#include <algorithm>

namespace amalgam::engine {
namespace {

constexpr std::uint64_t kLargestElement = 8;
constexpr std::uint64_t kAligned = 64;  // elements: a cache line of the smallest type

// Blocks that a piece of the collective occupies in a stage, on the rank where that is most: all ranks cut alike.
std::uint64_t most_blocks(Collective collective, std::uint64_t ranks) {
  switch (collective) {
    case Collective::kReduceScatter:
    case Collective::kAllGather:
    case Collective::kGather:
    case Collective::kScatter: return ranks;
    case Collective::kAllToAll: return 2 * ranks;
    default: return 1;
  }
}

}  // namespace

std::size_t WholePieces::needed(int ranks) { return 2 * static_cast<std::size_t>(ranks) * kLargestElement; }

WholePieces::WholePieces(const Request& call, int rank, int ranks, std::size_t piece_bytes)
    : call_(call), size_(size_of(call.type)) {
  place(rank, ranks);
  most_ = piece_bytes / (size_ * most_blocks(call.collective, static_cast<std::uint64_t>(ranks)));
  if (most_ > kAligned) most_ -= most_ % kAligned;
  most_ = std::max<std::uint64_t>(most_, 1);
  pieces_ = std::max<std::uint64_t>(1, (call.count + most_ - 1) / most_);
}

void WholePieces::place(int rank, int ranks) {
  const auto all = static_cast<std::uint64_t>(ranks);
  const auto own = static_cast<std::uint64_t>(rank);
  const bool root = rank == call_.root;
  reads_ = writes_ = true;
  in_ = out_ = {1, 0};
  switch (call_.collective) {
    case Collective::kAllReduce: break;
    case Collective::kReduce: writes_ = root; break;
    case Collective::kBroadcast: reads_ = root; break;
    case Collective::kReduceScatter: in_.blocks = all, out_.at = own; break;
    case Collective::kAllGather: out_.blocks = all, in_.at = own; break;
    case Collective::kAllToAll: in_.blocks = out_.blocks = all, out_.at = all; break;
    case Collective::kGather:
      writes_ = root;
      if (root) out_.blocks = all, in_.at = own;
      break;
    case Collective::kScatter:
      reads_ = root;
      if (root) in_.blocks = all, out_.at = own;
      break;
    case Collective::kSend: writes_ = call_.out != nullptr; break;  // to oneself: both
    case Collective::kRecv: reads_ = false; break;
    case Collective::kAllToAllV: reads_ = writes_ = false; break;  // goes as sends and receives
  }
}

std::uint64_t WholePieces::count(std::uint64_t index) const { return std::min(most_, call_.count - first(index)); }

Request WholePieces::in_place(std::uint64_t index) const {
  Request piece = call_;
  const std::uint64_t offset = first(index) * size_;
  piece.count = count(index);
  piece.stride = call_.count;
  if (call_.in != nullptr) piece.in = static_cast<const std::byte*>(call_.in) + offset;
  if (call_.out != nullptr) piece.out = static_cast<std::byte*>(call_.out) + offset;
  return piece;
}

Request WholePieces::staged(std::uint64_t index, std::byte* base) const {
  Request piece = call_;
  piece.count = count(index);
  piece.stride = 0;
  const std::uint64_t block = piece.count * size_;
  piece.in = reads_ ? base + in_.at * block : nullptr;
  piece.out = writes_ ? base + out_.at * block : nullptr;
  return piece;
}

Pieces::Copy WholePieces::copy(const Side& side, const void* user, std::uint64_t index, std::uint64_t block) const {
  const std::uint64_t bytes = count(index) * size_;
  auto* base = static_cast<std::byte*>(const_cast<void*>(user));
  return {base + (block * call_.count + first(index)) * size_, (side.at + block) * bytes, bytes};
}

Pieces::Copy WholePieces::up(std::uint64_t index, std::uint64_t block) const {
  return copy(in_, call_.in, index, block);
}

Pieces::Copy WholePieces::down(std::uint64_t index, std::uint64_t block) const {
  return copy(out_, call_.out, index, block);
}

Result<Pieces::Piece> WholePieces::piece(std::uint64_t index, std::byte* slot) {
  const Program& program = index + 1 == pieces_ ? last_ : program_;
  return Piece{slot != nullptr ? staged(index, slot) : in_place(index), context_, program.prepared, program.fp32,
               index};
}

}  // namespace amalgam::engine
