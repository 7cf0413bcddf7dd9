#include "comm/mixed.h"

#include <algorithm>
#include <limits>

namespace amalgam::comm {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{2} << 20;
constexpr std::size_t kAlignment = 4096;
// Enough for copies up, the work and copies down of three pieces at once; two where a message has one peer.
constexpr std::size_t kCollectiveSlots = 3, kMessageSlots = 2;
constexpr std::size_t kSlots = kCollectiveSlots + 2 * kMessageSlots, kStages = 3;

}  // namespace

Mixed::~Mixed() {
  if (queue_ != nullptr && !keep_) queue_->give_staging(memory_);
}

std::size_t Mixed::staging_bytes(std::size_t piece_bytes) {
  return kSlots * piece_bytes + kStages * engine::Stage::kHeader;
}

Result<std::size_t> Mixed::prepare(const Stack& stack, int ranks) {
  if (stack.runtime == nullptr) return std::numeric_limits<std::size_t>::max();
  Result<engine::DeviceQueue*> queue = engine::DeviceQueue::of(*stack.runtime, stack.device);
  if (!queue) return queue.status();
  const std::size_t needed = (engine::Pieces::needed(ranks) + kAlignment - 1) / kAlignment * kAlignment;
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
  cut(collectives_, kCollectiveSlots);
  cut(sends_, kMessageSlots);
  cut(receives_, kMessageSlots);
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
