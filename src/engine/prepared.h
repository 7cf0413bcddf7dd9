#pragma once

// A program made ready to run: what depends on the step alone is evaluated once and kept, so that an instance costs no
// formula. Steps beyond kTabulated are evaluated when they come (a ring over 10,000 ranks stays a few lines).

#include <cstdint>
#include <vector>

#include "plan/plan.h"

namespace amalgam::engine {

// One stage at one step, on this rank.
struct Resolved {
  bool active = true;  // the stage's `when`
  int peer = -1;
  std::int64_t to = 0;  // part or row
  std::int64_t from = 0;
};

class Prepared {
 public:
  Prepared(const plan::Plan& plan, int rank, int root, std::uint64_t agreement);

  const plan::Program& program() const { return program_; }
  Resolved resolve(int stage, std::int64_t step) const;  // step: s itself
  std::int64_t dependency_step(int stage, int dependency, std::int64_t step) const;
  bool landing(int buffer) const {
    return landing_[buffer];
  }  // its slots are the transport's: received in place, read by `sum`
  std::uint64_t agreement() const { return agreement_; }  // hash of cluster, plan and planner version

 private:
  static constexpr std::int64_t kTabulated = 64;
  Resolved evaluate(const plan::Stage& stage, std::int64_t step) const;

  plan::Program program_;
  int root_;
  std::uint64_t agreement_;
  std::vector<bool> landing_;
  std::vector<std::vector<Resolved>> table_;  // per stage; empty when too many steps
};

}  // namespace amalgam::engine
