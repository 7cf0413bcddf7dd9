#include "engine/staged_track.h"

namespace amalgam::engine {

Result<Progress> StagedTrack::progress() {
  if (stop().raised()) return stop().reason();
  AMALGAM_TRY(queue_.enter_engine());
  while (passed_ < gates_.size()) {
    Result<bool> ready = gates_[passed_]->ready();
    if (!ready) return ready.status();
    if (!*ready) return Progress::kIdle;
    ++passed_;
  }
  return Track::progress();
}

}  // namespace amalgam::engine
