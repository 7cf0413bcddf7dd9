#include <algorithm>

#include "plan/plan.h"

namespace amalgam::plan {

Program project(const Plan& plan, int rank, int root) {
  Program program{plan, {}, {}, rank};
  const auto bind = [&](Expression& formula) { formula = formula.bind(rank, plan.ranks, root); };
  for (Buffer& buffer : program.plan.buffers) {
    bind(buffer.extent);
    bind(buffer.like_part);
    program.extents.push_back(buffer.extent.evaluate({}));
  }
  for (Stage& stage : program.plan.stages) {
    for (Expression* formula : {&stage.first, &stage.last, &stage.when, &stage.to.part, &stage.from.part, &stage.peer})
      bind(*formula);
    for (Dependency& dependency : stage.after) bind(dependency.step);
    const std::int64_t first = stage.first.evaluate({});
    const std::int64_t last = stage.last.evaluate({});
    program.steps.push_back({first, stage.has_steps ? std::max<std::int64_t>(0, last - first + 1) : 1});
  }
  return program;
}

}  // namespace amalgam::plan
