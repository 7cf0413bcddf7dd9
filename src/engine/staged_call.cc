#include "engine/staged_call.h"

#include <cstring>
#include <utility>

namespace amalgam::engine {

using device::Direction;

void StagedCall::start(const Request& call, Plan plan, Context& context, Stage* stage) {
  call_ = call;
  plan_ = std::move(plan);
  context_ = &context;
  stage_ = stage;
  running_ = false;
  sent_ = worked_ = landed_ = 0;
  if (stage == nullptr) return;
  up_marks_.assign(stage->slots, 0);
  down_marks_.assign(stage->slots, 0);
}

Result<Progress> StagedCall::progress() { return stage_ == nullptr ? progress_in_place() : progress_staged(); }

Status StagedCall::begin(Request piece) {
  const Program& program = worked_ + 1 == plan_.pieces.size() ? plan_.last : plan_.program;
  if (call_.scalar_at != nullptr) std::memcpy(piece.scalar.data(), stage_->base, piece.scalar.size());
  AMALGAM_TRY(operation_.start(*program.prepared, piece, plan_.sequence + worked_, plan_.serial + worked_, *context_,
                               program.fp32));
  running_ = true;
  return {};
}

Result<Progress> StagedCall::progress_in_place() {
  if (!running_) AMALGAM_TRY(begin(plan_.pieces.in_place(worked_)));
  Result<Progress> progress = operation_.progress();
  if (!progress || *progress != Progress::kDone) return progress;
  running_ = false;
  return ++worked_ == plan_.pieces.size() ? Progress::kDone : Progress::kMoved;
}

Result<Progress> StagedCall::progress_staged() {
  if (stage_->holder != this) {
    if (stage_->holder != nullptr) return Progress::kIdle;
    stage_->holder = this;
  }
  bool moved = false;
  for (auto step : {&StagedCall::upload, &StagedCall::work, &StagedCall::land}) {
    Result<bool> stepped = (this->*step)();
    if (!stepped) return stepped.status();
    moved |= *stepped;
  }
  if (landed_ < plan_.pieces.size()) return moved ? Progress::kMoved : Progress::kIdle;
  stage_->holder = nullptr;
  return Progress::kDone;
}

// Queues the way up of as many pieces as there are free slots.
Result<bool> StagedCall::upload() {
  const std::uint64_t before = sent_;
  CopyQueue& up = stage_->queue->up();
  for (; sent_ < plan_.pieces.size() && sent_ < landed_ + stage_->slots; ++sent_) {
    if (sent_ == 0 && call_.scalar_at != nullptr)
      AMALGAM_TRY(up.copy(stage_->base, call_.scalar_at, size_of(call_.type), Direction::kToHost));
    for (std::uint64_t block = 0; block < plan_.pieces.uploads(); ++block) {
      const Pieces::Copy copy = plan_.pieces.upload(sent_, block);
      if (copy.bytes == 0) continue;
      AMALGAM_TRY(up.copy(stage_->slot(sent_) + copy.offset, static_cast<const std::byte*>(call_.in) + copy.user,
                          copy.bytes, Direction::kToHost));
    }
    Result<std::uint64_t> mark = up.mark();
    if (!mark) return mark.status();
    up_marks_[sent_ % stage_->slots] = *mark;
  }
  return sent_ != before;
}

Result<bool> StagedCall::work() {
  if (worked_ == sent_) return false;
  if (!running_) {
    Result<bool> there = stage_->queue->up().reached(up_marks_[worked_ % stage_->slots]);
    if (!there || !*there) return there;
    if (is_copy()) return download_next();
    AMALGAM_TRY(begin(plan_.pieces.staged(worked_, stage_->slot(worked_))));
  }
  Result<Progress> progress = operation_.progress();
  if (!progress) return progress.status();
  if (*progress != Progress::kDone) return *progress == Progress::kMoved;
  running_ = false;
  return download_next();
}

// Queues the way down of the piece that has just been worked on.
Result<bool> StagedCall::download_next() {
  CopyQueue& down = stage_->queue->down();
  for (std::uint64_t block = 0; block < plan_.pieces.downloads(); ++block) {
    const Pieces::Copy copy = plan_.pieces.download(worked_, block);
    if (copy.bytes == 0) continue;
    AMALGAM_TRY(down.copy(static_cast<std::byte*>(call_.out) + copy.user, stage_->slot(worked_) + copy.offset,
                          copy.bytes, Direction::kToDevice));
  }
  Result<std::uint64_t> mark = down.mark();
  if (!mark) return mark.status();
  down_marks_[worked_ % stage_->slots] = *mark;
  ++worked_;
  return true;
}

Result<bool> StagedCall::land() {
  const std::uint64_t before = landed_;
  while (landed_ < worked_) {
    Result<bool> there = stage_->queue->down().reached(down_marks_[landed_ % stage_->slots]);
    if (!there) return there;
    if (!*there) break;
    ++landed_;
  }
  return landed_ != before;
}

}  // namespace amalgam::engine
