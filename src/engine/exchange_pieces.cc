#include "engine/exchange_pieces.h"

#include <algorithm>
#include <cstring>

#include "reduce/fold.h"

namespace amalgam::engine {
namespace {

// What a part's team does.
Collective among_teams(Collective collective) {
  switch (collective) {
    case Collective::kReduceScatter: return Collective::kReduce;
    case Collective::kAllGather: return Collective::kBroadcast;
    default: return collective;
  }
}

std::array<std::byte, 8> one_of(DataType type) {
  std::array<std::byte, 8> bytes{};
  const float one = 1;
  const double precise = 1;
  if (type == DataType::kFloat32) {
    std::memcpy(bytes.data(), &one, sizeof(one));
  } else if (type == DataType::kFloat64) {
    std::memcpy(bytes.data(), &precise, sizeof(precise));
  } else if (reduce::narrow_float(type)) {
    reduce::narrow(type, bytes.data(), &one, 1);
  } else {
    bytes[0] = std::byte{1};  // little-endian
  }
  return bytes;
}

}  // namespace

// The parts follow from these alone.
bool ExchangePieces::repeats(const Exchange& exchange, std::size_t slice_bytes) const {
  const Request &before = exchange_.call(), &now = exchange.call();
  return last_.parts != 0 && before.collective == now.collective && before.root == now.root &&
         before.count == now.count && before.type == now.type && slice_ == slice_bytes / size_of(now.type);
}

Status ExchangePieces::start(const Exchange& exchange, std::size_t slice_bytes, Teams& teams) {
  const bool again = repeats(exchange, slice_bytes);
  exchange_ = exchange;
  if (again) return {};
  element_bytes_ = size_of(exchange.call().type);
  slice_ = std::max<std::uint64_t>(1, slice_bytes / element_bytes_);
  one_ = one_of(exchange.call().type);
  AMALGAM_TRY(shape(exchange.count(0), teams, &full_));
  return shape(exchange.count(exchange.chunks() - 1), teams, &last_);
}

Status ExchangePieces::shape(std::uint64_t count, Teams& teams, Shape* shape) {
  *shape = {};
  const Request& call = exchange_.call();
  const auto parts = exchange_.hierarchy().parts(call.collective, call.root, count);
  shape->parts = parts.size();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    shape->slices = std::max(shape->slices, slices_of(parts[i].range));
    const std::vector<int>& team = parts[i].team;
    if (team[exchange_.hierarchy().island_of(exchange_.rank())] != exchange_.rank()) continue;
    Result<Team*> found = teams.team(team);
    if (!found) return found.status();
    shape->mine.push_back({parts[i], i, *found});
  }
  for (std::uint32_t slice = 0; slice < shape->slices; ++slice)
    for (std::uint32_t mine = 0; mine < shape->mine.size(); ++mine)
      if (slice < slices_of(shape->mine[mine].part.range)) shape->items.push_back({slice, mine});
  return {};
}

std::uint64_t ExchangePieces::total() const { return (exchange_.chunks() - 1) * full_.numbers() + last_.numbers(); }

std::uint64_t ExchangePieces::size() const {
  return (exchange_.chunks() - 1) * full_.items.size() + last_.items.size();
}

ExchangePieces::Place ExchangePieces::locate(std::uint64_t index) const {
  const std::uint64_t each = full_.items.size();
  const std::uint64_t before_last = exchange_.chunks() - 1;
  const std::uint64_t chunk = each == 0 ? before_last : std::min(index / each, before_last);
  const Shape& shape = chunk == before_last ? last_ : full_;
  const Item& item = shape.items[index - chunk * each];
  const Mine& mine = shape.mine[item.mine];
  const std::uint64_t first = item.slice * slice_;
  return {chunk,
          item.slice,
          &shape,
          &mine,
          {mine.part.range.first + first, std::min(slice_, mine.part.range.count - first)}};
}

Result<Pieces::Piece> ExchangePieces::piece(std::uint64_t index, std::byte* slot) {
  const Place at = locate(index);
  const Exchange::Ends ends = exchange_.ends(at.mine->part, at.chunk, at.range.first);
  Piece piece;
  Request& request = piece.request;
  request = exchange_.call();
  request.collective = among_teams(request.collective);
  request.root = at.mine->part.root;
  request.count = at.range.count;
  if (exchange_.inside()) request.scalar = one_;
  request.scalar_at = nullptr;
  request.in = slot != nullptr ? slot : ends.from;
  request.out = slot != nullptr ? slot : ends.to != nullptr ? ends.to : ends.from;
  Result<Team::Program> program = at.mine->team->find(request);
  if (!program) return program.status();
  piece.context = &at.mine->team->context();
  piece.prepared = program->prepared;
  piece.fp32 = program->fp32;
  piece.number = at.chunk * full_.numbers() + at.slice * at.shape->parts + at.mine->index;
  return piece;
}

Pieces::Copy ExchangePieces::up(std::uint64_t index, std::uint64_t) const {
  const Place at = locate(index);
  std::byte* from = exchange_.ends(at.mine->part, at.chunk, at.range.first).from;
  return {from, 0, from != nullptr ? at.range.count * element_bytes_ : 0};
}

Pieces::Copy ExchangePieces::down(std::uint64_t index, std::uint64_t) const {
  const Place at = locate(index);
  std::byte* to = exchange_.ends(at.mine->part, at.chunk, at.range.first).to;
  return {to, 0, to != nullptr ? at.range.count * element_bytes_ : 0};
}

}  // namespace amalgam::engine
