#include "engine/drive.h"

namespace amalgam::engine {

void Track::clear() {
  collectives_.clear();
  pairs_.clear();
  current_ = first_pair_ = 0;
}

// Messages of one peer and direction keep their order: the lane is theirs one after another.
bool Track::waits_its_turn(std::size_t index) const {
  const Request& mine = pairs_[index].operation->request();
  for (std::size_t i = first_pair_; i < index; ++i) {
    if (pairs_[i].finished) continue;
    const Request& earlier = pairs_[i].operation->request();
    if (earlier.collective == mine.collective && earlier.root == mine.root) return true;
  }
  return false;
}

Result<bool> Track::progress_pairs(bool* moved) {
  for (std::size_t i = first_pair_; i < pairs_.size(); ++i) {
    Pair& pair = pairs_[i];
    if (pair.finished || waits_its_turn(i)) continue;
    Result<Progress> progress = pair.operation->progress();
    if (!progress) return progress.status();
    pair.finished = *progress == Progress::kDone;
    *moved |= *progress != Progress::kIdle;
  }
  while (first_pair_ < pairs_.size() && pairs_[first_pair_].finished) ++first_pair_;
  return first_pair_ == pairs_.size();
}

Result<Progress> Track::progress() {
  if (stop_.raised()) return stop_.reason();
  bool moved = false;
  while (current_ < collectives_.size()) {
    Result<Progress> progress = collectives_[current_]->progress();
    if (!progress) return progress;
    moved |= *progress != Progress::kIdle;
    if (*progress != Progress::kDone) break;
    ++current_;
  }
  Result<bool> pairs_done = progress_pairs(&moved);
  if (!pairs_done) return pairs_done.status();
  if (*pairs_done && current_ == collectives_.size()) return Progress::kDone;
  return moved ? Progress::kMoved : Progress::kIdle;
}

void drive(std::span<Track* const> tracks, std::span<Status> statuses, const std::function<void(std::size_t)>& failed) {
  std::vector<bool> finished;
  if (tracks.size() > 1) finished.resize(tracks.size());
  std::size_t left = tracks.size();
  Waiter waiter(tracks.front()->policy());
  std::size_t watched = 0;  // the unfinished track whose doorbell is slept on, a different one each time
  bool single_done = false;
  const auto is_finished = [&](std::size_t i) {
    return tracks.size() > 1 ? static_cast<bool>(finished[i]) : single_done;
  };
  while (left > 0) {
    bool moved = false;
    for (std::size_t i = 0; i < tracks.size(); ++i) {
      if (is_finished(i)) continue;
      Result<Progress> progress = tracks[i]->progress();
      if (progress && *progress == Progress::kIdle) {
        watched = i;
        continue;
      }
      moved = true;
      if (progress && *progress == Progress::kMoved) continue;
      if (!progress) {
        statuses[i] = progress.status();
        if (failed) failed(i);
      }
      if (tracks.size() > 1) finished[i] = true;
      single_done = true;
      --left;
    }
    if (moved) {
      waiter.moved();
    } else {
      waiter.idle(tracks[watched]->bed());
    }
  }
}

}  // namespace amalgam::engine
