#include "engine/exchange.h"

#include <algorithm>

namespace amalgam::engine {
namespace {

constexpr std::uint64_t kSmallestChunk = std::uint64_t{2} << 20;  // bytes of all blocks together
constexpr std::uint64_t kAligned = 64;                            // elements

std::uint64_t rounded_up(std::uint64_t value, std::uint64_t unit) { return (value + unit - 1) / unit * unit; }

}  // namespace

Exchange::Exchange(const Request& call, const plan::Hierarchy& hierarchy, int rank, std::byte* scratch)
    : call_(call),
      hierarchy_(&hierarchy),
      rank_(rank),
      island_(hierarchy.island_of(rank)),
      place_(hierarchy.place_of(rank)),
      size_of_island_(hierarchy.size_of(island_)),
      scratch_(scratch),
      element_bytes_(size_of(call.type)) {
  choose_chunks();
}

void Exchange::choose_chunks() {
  const bool blocks = call_.collective == Collective::kReduceScatter || call_.collective == Collective::kAllGather;
  const std::uint64_t smallest =
      kSmallestChunk / element_bytes_ / (blocks ? static_cast<std::uint64_t>(hierarchy_->ranks()) : 1);
  most_ = std::max<std::uint64_t>({1, smallest, (call_.count + kMostChunks - 1) / kMostChunks});
  most_ = rounded_up(most_, kAligned * (blocks ? 1 : hierarchy_->multiple()));
  const std::uint64_t half = kScratchBytes / kHalves / element_bytes_;
  for (int island = 0; island < hierarchy_->islands(); ++island) {
    const auto ranks = static_cast<std::uint64_t>(hierarchy_->size_of(island));
    if (ranks == 1) continue;
    if (call_.collective == Collective::kReduce) most_ = std::min(most_, (half - ranks) * ranks);
    if (call_.collective == Collective::kReduceScatter)
      most_ = std::min(most_, std::max<std::uint64_t>(1, half / hierarchy_->most_blocks(island)));
  }
  chunks_ = std::max<std::uint64_t>(1, (call_.count + most_ - 1) / most_);
}

std::uint64_t Exchange::count(std::uint64_t chunk) const { return std::min(most_, call_.count - chunk * most_); }

bool Exchange::uses_scratch() const {
  return inside() && (call_.collective == Collective::kReduce || call_.collective == Collective::kReduceScatter);
}

bool Exchange::at_root_island() const { return hierarchy_->island_of(call_.root) == island_; }

std::byte* Exchange::in(std::uint64_t element) const {
  return static_cast<std::byte*>(const_cast<void*>(call_.in)) + element * element_bytes_;
}

std::byte* Exchange::out(std::uint64_t element) const {
  return static_cast<std::byte*>(call_.out) + element * element_bytes_;
}

std::byte* Exchange::scratch(std::uint64_t chunk, std::uint64_t element) const {
  return scratch_ + chunk % kHalves * (kScratchBytes / kHalves) + element * element_bytes_;
}

std::byte* Exchange::reduced(std::uint64_t chunk, std::uint64_t first) const {
  if (rank_ == call_.root) return out(chunk * most_ + first);
  return scratch(chunk, first - hierarchy_->held(island_, place_, count(chunk)).first);
}

std::byte* Exchange::block_sum(std::uint64_t chunk, int block) const {
  if (block == rank_) return out(chunk * most_);
  if (hierarchy_->island_of(block) == island_ || hierarchy_->deputy(island_, block) != rank_) return nullptr;
  std::uint64_t turn = 0;  // among the blocks that this rank stands for
  for (int other = 0; other < block; ++other)
    turn += hierarchy_->island_of(other) != island_ && hierarchy_->deputy(island_, other) == rank_;
  return scratch(chunk, turn * most_);
}

Exchange::Ends Exchange::ends(const plan::Hierarchy::Part& part, std::uint64_t chunk, std::uint64_t first) const {
  const std::uint64_t at = chunk * most_ + first;
  const bool at_root = part.root == island_;
  const std::uint64_t in_block = part.block < 0 ? 0 : static_cast<std::uint64_t>(part.block) * call_.count + at;
  switch (call_.collective) {
    case Collective::kReduce:
      if (inside()) return {reduced(chunk, first), at_root ? reduced(chunk, first) : nullptr};
      return {in(at), at_root ? out(at) : nullptr};
    case Collective::kBroadcast:
      if (!at_root) return {nullptr, out(at)};
      if (inside()) return {out(at), nullptr};
      return {in(at), in(at) == out(at) ? nullptr : out(at)};
    case Collective::kAllGather:
      if (part.block != rank_) return {nullptr, out(in_block)};
      return {in(at), inside() || in(at) == out(in_block) ? nullptr : out(in_block)};
    case Collective::kReduceScatter:
      if (!inside()) return {in(in_block), part.block == rank_ ? out(at) : nullptr};
      if (part.block == rank_) return {out(at), out(at)};
      return {block_sum(chunk, part.block) + first * element_bytes_, nullptr};
    default: return {inside() ? out(at) : in(at), out(at)};
  }
}

Request Exchange::inside_call(Collective collective, const std::byte* in, std::byte* out, std::uint64_t count,
                              int root) const {
  Request made = call_;
  made.collective = collective;
  made.in = in;
  made.out = out;
  made.count = count;
  made.root = root;
  if (made.op == ReduceOp::kAvg) made.op = ReduceOp::kSum;  // divided once, over all ranks, in the exchange
  return made;
}

// Equal parts by one call, what is left over by another, to the last rank.
void Exchange::scatter_sum(std::uint64_t chunk, std::vector<Request>* calls) const {
  const std::uint64_t all = count(chunk), ranks = static_cast<std::uint64_t>(size_of_island_), part = all / ranks;
  const std::uint64_t first = static_cast<std::uint64_t>(place_) * part, rest = all - part * ranks;
  std::byte* mine = call_.collective == Collective::kReduce ? reduced(chunk, first) : out(chunk * most_ + first);
  if (part != 0) calls->push_back(inside_call(Collective::kReduceScatter, in(chunk * most_), mine, part, 0));
  if (rest == 0) return;
  const int last = size_of_island_ - 1;
  std::byte* to = place_ == last ? mine + part * element_bytes_ : nullptr;
  calls->push_back(inside_call(Collective::kReduce, in(chunk * most_ + part * ranks), to, rest, last));
}

void Exchange::reduce_blocks(std::uint64_t chunk, std::vector<Request>* calls) const {
  for (int block = 0; block < hierarchy_->ranks(); ++block) {
    const int to = hierarchy_->island_of(block) == island_ ? block : hierarchy_->deputy(island_, block);
    calls->push_back(inside_call(Collective::kReduce,
                                 in(static_cast<std::uint64_t>(block) * call_.count + chunk * most_),
                                 block_sum(chunk, block), count(chunk), hierarchy_->place_of(to)));
  }
}

void Exchange::gather_parts(std::uint64_t chunk, std::vector<Request>* calls) const {
  const std::uint64_t all = count(chunk), ranks = static_cast<std::uint64_t>(size_of_island_), part = all / ranks;
  const std::uint64_t base = chunk * most_, rest = all - part * ranks;
  if (part != 0)
    calls->push_back(
        inside_call(Collective::kAllGather, out(base + static_cast<std::uint64_t>(place_) * part), out(base), part, 0));
  std::byte* left = out(base + part * ranks);
  if (rest != 0) calls->push_back(inside_call(Collective::kBroadcast, left, left, rest, size_of_island_ - 1));
}

void Exchange::gather_to_root(std::uint64_t chunk, std::vector<Request>* calls) const {
  const int root = hierarchy_->place_of(call_.root);
  for (int place = 0; place < size_of_island_; ++place) {
    const plan::Range held = hierarchy_->held(island_, place, count(chunk));
    if (place == root || held.count == 0) continue;
    if (place == place_)
      calls->push_back(inside_call(Collective::kSend, reduced(chunk, held.first), nullptr, held.count, root));
    if (place_ == root)
      calls->push_back(inside_call(Collective::kRecv, nullptr, out(chunk * most_ + held.first), held.count, place));
  }
}

void Exchange::broadcast_block(std::uint64_t chunk, int block, int root, std::vector<Request>* calls) const {
  std::byte* to = out(static_cast<std::uint64_t>(block) * call_.count + chunk * most_);
  const std::byte* from = block == rank_ ? in(chunk * most_) : to;
  calls->push_back(inside_call(Collective::kBroadcast, from, to, count(chunk), hierarchy_->place_of(root)));
}

void Exchange::before(std::uint64_t chunk, std::vector<Request>* calls) const {
  if (!inside()) return;
  switch (call_.collective) {
    case Collective::kAllReduce:
    case Collective::kReduce: return scatter_sum(chunk, calls);
    case Collective::kReduceScatter: return reduce_blocks(chunk, calls);
    case Collective::kBroadcast:
      if (at_root_island())
        calls->push_back(inside_call(Collective::kBroadcast,
                                     rank_ == call_.root ? in(chunk * most_) : out(chunk * most_), out(chunk * most_),
                                     count(chunk), hierarchy_->place_of(call_.root)));
      return;
    default: return;
  }
}

void Exchange::beside(std::uint64_t chunk, std::vector<Request>* calls) const {
  if (!inside() || call_.collective != Collective::kAllGather) return;
  for (int block : hierarchy_->members(island_)) broadcast_block(chunk, block, block, calls);
}

void Exchange::after(std::uint64_t chunk, std::vector<Request>* calls) const {
  if (!inside()) return;
  switch (call_.collective) {
    case Collective::kAllReduce: return gather_parts(chunk, calls);
    case Collective::kBroadcast:
      if (!at_root_island()) gather_parts(chunk, calls);
      return;
    case Collective::kReduce:
      if (at_root_island()) gather_to_root(chunk, calls);
      return;
    case Collective::kAllGather:
      for (int block = 0; block < hierarchy_->ranks(); ++block)
        if (hierarchy_->island_of(block) != island_)
          broadcast_block(chunk, block, hierarchy_->deputy(island_, block), calls);
      return;
    default: return;
  }
}

}  // namespace amalgam::engine
