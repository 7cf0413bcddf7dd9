#include "engine/staged_call.h"

#include <cstring>

namespace amalgam::engine {

using device::Direction;

void StagedCall::start(const Request& call, Pieces& pieces, Numbers numbers, Stage* stage, bool copy) {
  call_ = call;
  pieces_ = &pieces;
  copy_ = copy;
  numbers_ = numbers;
  stage_ = stage;
  gates_.clear();
  running_ = false;
  sent_ = worked_ = landed_ = ready_ = opened_ = 0;
  if (stage == nullptr) return;
  up_marks_.assign(stage->slots, 0);
  down_marks_.assign(stage->slots, 0);
}

Result<Progress> StagedCall::progress() { return stage_ == nullptr ? progress_in_place() : progress_staged(); }

Status StagedCall::begin() {
  Result<Pieces::Piece> made = pieces_->piece(worked_, stage_ == nullptr ? nullptr : stage_->slot(worked_));
  if (!made) return made.status();
  Pieces::Piece& piece = *made;
  if (call_.scalar_at != nullptr) std::memcpy(piece.request.scalar.data(), stage_->base, piece.request.scalar.size());
  AMALGAM_TRY(operation_.start(*piece.prepared, piece.request, numbers_.sequence + piece.number,
                               numbers_.serial + piece.number, *piece.context, piece.fp32));
  running_ = true;
  return {};
}

Result<Progress> StagedCall::progress_in_place() {
  if (worked_ == pieces_->size()) return Progress::kDone;
  if (!running_) AMALGAM_TRY(begin());
  Result<Progress> progress = operation_.progress();
  if (!progress || *progress != Progress::kDone) return progress;
  running_ = false;
  return ++worked_ == pieces_->size() ? Progress::kDone : Progress::kMoved;
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
  open_gates();
  if (landed_ < pieces_->size()) return moved ? Progress::kMoved : Progress::kIdle;
  stage_->holder = nullptr;
  return Progress::kDone;
}

// Whether the stream has come to the chunk of the next piece.
Result<bool> StagedCall::may_go_up() {
  if (gates_.empty()) return true;
  while (ready_ <= pieces_->chunk_of(sent_)) {
    Result<bool> ready = gates_[ready_]->ready();
    if (!ready || !*ready) return ready;
    ++ready_;
  }
  return true;
}

// Of chunks that have come down, and of those in which this rank has no part.
void StagedCall::open_gates() {
  const std::uint64_t done = landed_ == pieces_->size() ? gates_.size() : pieces_->chunk_of(landed_);
  while (opened_ < done && opened_ < gates_.size()) gates_[opened_++]->open();
}

// Queues the way up of as many pieces as there are free slots.
Result<bool> StagedCall::upload() {
  const std::uint64_t before = sent_;
  CopyQueue& up = stage_->queue->up();
  for (; sent_ < pieces_->size() && sent_ < landed_ + stage_->slots; ++sent_) {
    Result<bool> may = may_go_up();
    if (!may) return may;
    if (!*may) break;
    if (sent_ == 0 && call_.scalar_at != nullptr)
      AMALGAM_TRY(up.copy(stage_->base, call_.scalar_at, size_of(call_.type), Direction::kToHost));
    for (std::uint64_t block = 0; block < pieces_->uploads(); ++block) {
      const Pieces::Copy copy = pieces_->up(sent_, block);
      if (copy.bytes == 0) continue;
      AMALGAM_TRY(up.copy(stage_->slot(sent_) + copy.offset, copy.user, copy.bytes, Direction::kToHost));
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
    if (copy_) return download_next();
    AMALGAM_TRY(begin());
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
  for (std::uint64_t block = 0; block < pieces_->downloads(); ++block) {
    const Pieces::Copy copy = pieces_->down(worked_, block);
    if (copy.bytes == 0) continue;
    AMALGAM_TRY(down.copy(copy.user, stage_->slot(worked_) + copy.offset, copy.bytes, Direction::kToDevice));
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
