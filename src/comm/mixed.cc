#include "comm/mixed.h"

#include <algorithm>
#include <limits>

namespace amalgam::comm {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{2} << 20;
constexpr std::size_t kAlignment = 4096;
// Enough for copies up, the work and copies down of three pieces at once; two where a message has one peer.
constexpr std::size_t kCollectiveSlots = 3, kMessageSlots = 2;
constexpr std::size_t kSlicesOfPiece = 2;
// Below this the calls inside cost more than the copies that they save (a vendor's call takes 10 to 20 us).
constexpr std::uint64_t kSplitFrom = 64 << 10;
constexpr std::size_t kSlots = kCollectiveSlots + 2 * kMessageSlots, kStages = 3;

}  // namespace

Mixed::~Mixed() {
  if (queue_ == nullptr || keep_) return;
  queue_->give_staging(memory_);
  if (scratch_ != nullptr) queue_->give_scratch(scratch_);
}

std::size_t Mixed::staging_bytes(std::size_t piece_bytes) {
  return kSlots * piece_bytes + kStages * engine::Stage::kHeader;
}

Result<std::size_t> Mixed::prepare(const Stack& stack, int ranks) {
  if (stack.runtime == nullptr) return std::numeric_limits<std::size_t>::max();
  Result<engine::DeviceQueue*> queue = engine::DeviceQueue::of(*stack.runtime, stack.device);
  if (!queue) return queue.status();
  const std::size_t needed = (engine::WholePieces::needed(ranks) + kAlignment - 1) / kAlignment * kAlignment;
  const device::Visit visit(*stack.runtime, stack.device);
  AMALGAM_TRY(visit.status());
  auto memory = (*queue)->take_staging(staging_bytes(std::max(kPieceBytes, needed)), staging_bytes(needed));
  if (!memory) return memory.status();
  queue_ = *queue;
  memory_ = *memory;
  const std::size_t piece = (memory_.bytes - kStages * engine::Stage::kHeader) / kSlots;
  return piece / kAlignment * kAlignment;
}

void Mixed::agree(std::size_t piece_bytes) {
  piece_bytes_ = piece_bytes;
  std::byte* at = memory_.base;
  const auto cut = [&](engine::Stage& stage, std::size_t slots) {
    stage = {queue_, at, piece_bytes, slots, nullptr};
    at += stage.bytes();
  };
  if (queue_ == nullptr) return;
  exchanges_ = {queue_, at, slice_bytes(), kSlicesOfPiece * kCollectiveSlots, nullptr};
  cut(collectives_, kCollectiveSlots);
  cut(sends_, kMessageSlots);
  cut(receives_, kMessageSlots);
}

std::size_t Mixed::slice_bytes() const {
  const std::size_t slice = piece_bytes_ / kSlicesOfPiece;
  return slice - slice % engine::Stage::kHeader;
}

Status Mixed::split_by(plan::Hierarchy hierarchy, bool premultiply) {
  hierarchy_ = std::move(hierarchy);
  premultiply_ = premultiply;
  if (queue_ == nullptr || hierarchy_.size_of(hierarchy_.island_of(world_.rank)) == 1) return {};
  const device::Visit visit(queue_->runtime(), queue_->device());
  AMALGAM_TRY(visit.status());
  auto scratch = queue_->take_scratch(engine::Exchange::kScratchBytes);
  if (scratch) scratch_ = *scratch;
  return scratch.status();
}

// Sums of fp8 are for our own arithmetic, which rounds them once; few libraries have them.
bool Mixed::splits(const Request& request) const {
  if (!plan::Hierarchy::splits(request.collective) || hierarchy_.flat()) return false;
  const bool fp8 = request.type == DataType::kFloat8e4m3 || request.type == DataType::kFloat8e5m2;
  if (fp8 && reduces(request.collective)) return false;
  if (request.op == ReduceOp::kPreMulSum && !premultiply_) return false;
  const auto ranks = static_cast<std::uint64_t>(hierarchy_.ranks());
  const bool blocks = request.collective == Collective::kAllGather || request.collective == Collective::kReduceScatter;
  return request.count * size_of(request.type) >= (blocks ? kSplitFrom / ranks : kSplitFrom) && request.count >= ranks;
}

Result<engine::Team*> Mixed::team(const std::vector<int>& members) {
  std::unique_ptr<Team>& team = teams_[members];
  if (!team)
    team =
        std::make_unique<Team>(members, world_.rank, *world_.cluster, world_.limits, world_.fp32_wire, *world_.context);
  return team.get();
}

engine::Stage* Mixed::stage(Collective collective) {
  if (queue_ == nullptr) return nullptr;
  if (collective == Collective::kSend) return &sends_;
  return collective == Collective::kRecv ? &receives_ : &collectives_;
}

engine::StagedCall* Mixed::take_call() {
  const std::lock_guard lock(mutex_);
  return calls_.take();
}

void Mixed::give_call(engine::StagedCall* call) {
  const std::lock_guard lock(mutex_);
  calls_.give(call);
}

}  // namespace amalgam::comm
