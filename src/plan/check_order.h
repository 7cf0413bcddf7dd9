#pragma once

// Which instances of one rank are certainly over before another one begins, whatever the interleaving.
//
// Certain are: the order within a stage, the dependencies, and that a receive stores only after the matching send
// began. Nothing else counts: a lane may hold more slices than the plan asks for, so credits order nothing. Instances
// of a stage finish in order, so what is over is one counter per stage: a vector clock over the stages of the rank in
// question.
//
// Threads: one. Instances must be run in an order that the plan allows.

#include <cstdint>
#include <vector>

#include "plan/check_memory.h"
#include "plan/unfold.h"

namespace amalgam::plan {

struct Event {
  int actor = 0;
  Access at;
};

class History {
 public:
  // Knows what reaches actor `of`: through its own program only (cheap, may miss what other ranks order), or through
  // all.
  enum class Reach { kOwn, kAll };
  History(const Unfolded& all, int of, Reach reach);

  void run(const Event& event);             // the instance begins; everything before it has been run
  bool over(const Access& earlier) const {  // an instance of actor `of`, when the last one run began
    return begin_[static_cast<std::size_t>(earlier.stage)] > earlier.index;
  }

 private:
  using Counts = std::vector<std::int64_t>;
  std::int64_t* done(int actor, int stage, std::int64_t index) {
    return &done_[static_cast<std::size_t>(actor)][static_cast<std::size_t>(stage)]
                 [static_cast<std::size_t>(index) * width_];
  }
  void join(const std::int64_t* other);
  void join_message(const Instance& instance);

  const Unfolded& all_;
  int of_;
  Reach reach_;
  std::size_t width_;
  Counts begin_;
  std::vector<std::vector<Counts>> done_;  // per actor and stage: clocks at the end of each instance
};

}  // namespace amalgam::plan
