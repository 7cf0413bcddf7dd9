#include "engine/prepared.h"

namespace amalgam::engine {
namespace {

// A scratch buffer that only recv writes and only sum reads needs no memory of its own.
bool is_landing(const plan::Plan& plan, int buffer) {
  bool summed = false;
  for (const plan::Stage& stage : plan.stages) {
    if (stage.land == buffer) summed = true;
    if (stage.from.buffer == buffer) return false;
    if (stage.to.buffer == buffer && stage.action != plan::Action::kRecv) return false;
  }
  return summed;
}

}  // namespace

Prepared::Prepared(const plan::Plan& plan, int rank, int root, std::uint64_t agreement)
    : program_(plan::project(plan, rank, root)), root_(root), agreement_(agreement) {
  const plan::Plan& bound = program_.plan;
  for (std::size_t b = 0; b < bound.buffers.size(); ++b) landing_.push_back(is_landing(bound, static_cast<int>(b)));
  for (std::size_t i = 0; i < bound.stages.size(); ++i) {
    std::vector<Resolved>& steps = table_.emplace_back();
    const plan::Program::Step& range = program_.steps[i];
    if (range.count > kTabulated) continue;
    for (std::int64_t s = 0; s < range.count; ++s) steps.push_back(evaluate(bound.stages[i], range.first + s));
  }
}

Resolved Prepared::evaluate(const plan::Stage& stage, std::int64_t step) const {
  const plan::Variables at{program_.rank, program_.plan.ranks, step, root_};
  Resolved resolved;
  resolved.active = stage.when.evaluate(at) != 0;
  if (!resolved.active) return resolved;
  resolved.peer = static_cast<int>(stage.peer.evaluate(at));
  resolved.to = stage.to.part.evaluate(at);
  resolved.from = stage.from.part.evaluate(at);
  return resolved;
}

Resolved Prepared::resolve(int stage, std::int64_t step) const {
  const std::vector<Resolved>& steps = table_[stage];
  if (!steps.empty()) return steps[step - program_.steps[stage].first];
  return evaluate(program_.plan.stages[stage], step);
}

std::int64_t Prepared::dependency_step(int stage, int dependency, std::int64_t step) const {
  const plan::Expression& formula = program_.plan.stages[stage].after[dependency].step;
  if (formula.is_constant()) return formula.evaluate({});
  return formula.evaluate({program_.rank, program_.plan.ranks, step, root_});
}

}  // namespace amalgam::engine
