// What can be said about a plan without running it: every index points somewhere, roles fit actions, and formulas have
// values at a sample of ranks, roots and steps. Whether the plan is right is check()'s business.

#include <fmt/format.h>

#include <algorithm>

#include "plan/plan.h"

namespace amalgam::plan {
namespace {

constexpr std::size_t kMaxBuffers = 16;
constexpr std::size_t kMaxStages = 64;
constexpr std::size_t kMaxDependencies = 64;
constexpr std::int64_t kMaxSteps = std::int64_t{1} << 24;

Status wrong(std::string what) { return Status(Code::kInvalidArgument, std::move(what)); }

// At most five of first..last: the ends, where formulas go wrong, and the middle.
std::vector<std::int64_t> sample(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> points;
  for (std::int64_t point : {first, first + 1, first + (last - first) / 2, last - 1, last})
    if (point >= first && point <= last && std::find(points.begin(), points.end(), point) == points.end())
      points.push_back(point);
  return points;
}

bool names_stage(const Plan& plan, int index) { return index >= 0 && index < static_cast<int>(plan.stages.size()); }
bool names_buffer(const Plan& plan, int index) { return index >= 0 && index < static_cast<int>(plan.buffers.size()); }
const Buffer& buffer_at(const Plan& plan, int index) { return plan.buffers[static_cast<std::size_t>(index)]; }

bool writes(Action action) { return action != Action::kSend; }
bool reads(Action action) { return action != Action::kRecv; }
bool folds(Action action) { return action == Action::kReduce || action == Action::kSum; }
bool has_peer(Action action) { return action == Action::kSend || action == Action::kRecv || action == Action::kReduce; }

Status head(const Plan& plan) {
  if (plan.family.empty()) return wrong("the plan has no family");
  if (plan.ranks < 1 || plan.ranks > 1 << 20) return wrong("ranks outside 1..1048576");
  if (plan.slice_bytes < 1 || plan.slice_bytes > 1u << 30) return wrong("slice outside 1..1073741824");
  if (plan.window < 1 || plan.window > 1024) return wrong("window outside 1..1024");
  if (plan.credits < 0 || plan.credits > 1024) return wrong("credits outside 0..1024");
  if (plan.wide && !reduces(plan.collective)) return wrong("a plan that does not reduce accumulates by hop");
  if (plan.buffers.size() > kMaxBuffers) return wrong("more than 16 buffers");
  if (plan.stages.empty() || plan.stages.size() > kMaxStages) return wrong("a plan has 1 to 64 stages");
  return {};
}

Status likeness(const Plan& plan, const Buffer& buffer) {
  if (!names_buffer(plan, buffer.like) || buffer_at(plan, buffer.like).role == Role::kScratch)
    return wrong(fmt::format("buffer {}: like names no user buffer", buffer.name));
  for (std::int64_t rank : sample(0, plan.ranks - 1)) {
    for (std::int64_t root : sample(0, plan.ranks - 1)) {
      const Variables at{rank, plan.ranks, 0, root};
      const std::int64_t part = buffer.like_part.evaluate(at);
      if (!buffer.like_part.valid_at(at) || part < 0 || part >= buffer_at(plan, buffer.like).extent.evaluate(at))
        return wrong(
            fmt::format("buffer {}: like is outside the user buffer at r={} root={}", buffer.name, rank, root));
    }
  }
  return {};
}

Status buffers(const Plan& plan) {
  for (const Buffer& buffer : plan.buffers) {
    const Variables at{0, plan.ranks, 0, 0};
    const std::int64_t extent = buffer.extent.evaluate(at);
    if (!buffer.extent.valid_at(at) || extent < 1 || extent > 1 << 20)
      return wrong(fmt::format("buffer {}: extent outside 1..1048576", buffer.name));
    if (buffer.shape == Shape::kVector && plan.collective != Collective::kAllToAllV)
      return wrong(fmt::format("buffer {}: only alltoallv has vectors", buffer.name));
    if (buffer.role == Role::kScratch) AMALGAM_TRY(likeness(plan, buffer));
    if (&buffer != &buffer_at(plan, plan.buffer(buffer.name)))
      return wrong(fmt::format("buffer {} appears twice", buffer.name));
  }
  return {};
}

Status roles(const Plan& plan, const Stage& stage) {
  if (writes(stage.action) && !names_buffer(plan, stage.to.buffer)) return wrong("no destination");
  if (reads(stage.action) && !names_buffer(plan, stage.from.buffer)) return wrong("no source");
  if (writes(stage.action) && buffer_at(plan, stage.to.buffer).role == Role::kIn) return wrong("'in' is never written");
  if (stage.action == Action::kSum) {
    if (!names_buffer(plan, stage.land) || buffer_at(plan, stage.land).role != Role::kScratch)
      return wrong("sum needs a scratch buffer");
    if (buffer_at(plan, stage.land).extent.evaluate({0, plan.ranks, 0, 0}) < plan.ranks)
      return wrong("sum needs a row for each rank");
  }
  if (!reduces(plan.collective) && (folds(stage.action) || stage.finish))
    return wrong("the collective does not reduce");
  if (stage.finish && !(folds(stage.action) || stage.action == Action::kCopy))
    return wrong("only reduce, sum and copy finish");
  if (stage.channel < 0 || stage.channel >= kChannels) return wrong("channel outside 0..3");
  if (stage.after.size() > kMaxDependencies) return wrong("more than 64 dependencies");
  for (const Dependency& dependency : stage.after)
    if (!names_stage(plan, dependency.stage) || dependency.distance < Dependency::kWindow)
      return wrong("bad dependency");
  return {};
}

Status range_of(const Plan& plan, const Operand& operand, const Variables& at) {
  const Buffer& buffer = buffer_at(plan, operand.buffer);
  const std::int64_t part = operand.part.evaluate(at);
  if (operand.part.valid_at(at) && part >= 0 && part < buffer.extent.evaluate(at)) return {};
  return wrong(fmt::format("{}[{}] is outside the buffer at r={} s={} root={}", buffer.name, operand.part.text(),
                           at.rank, at.step, at.root));
}

// One instance: what it names exists.
Status instance(const Plan& plan, const Stage& stage, const Variables& at) {
  if (!stage.when.valid_at(at)) return wrong(fmt::format("condition has no value at r={} s={}", at.rank, at.step));
  if (stage.when.evaluate(at) == 0) return {};
  if (writes(stage.action)) AMALGAM_TRY(range_of(plan, stage.to, at));
  if (reads(stage.action)) AMALGAM_TRY(range_of(plan, stage.from, at));
  const std::int64_t peer = stage.peer.evaluate(at);
  if (has_peer(stage.action) && (!stage.peer.valid_at(at) || peer < 0 || peer >= plan.ranks))
    return wrong(
        fmt::format("peer {} at r={} s={} root={} is not a rank", stage.peer.text(), at.rank, at.step, at.root));
  for (const Dependency& dependency : stage.after)
    if (!dependency.step.valid_at(at))
      return wrong(fmt::format("dependency step {} has no value at s={}", dependency.step.text(), at.step));
  return {};
}

Status values(const Plan& plan, const Stage& stage) {
  for (std::int64_t rank : sample(0, plan.ranks - 1)) {
    for (std::int64_t root : sample(0, plan.ranks - 1)) {
      Variables at{rank, plan.ranks, 0, root};
      if (!stage.first.valid_at(at) || !stage.last.valid_at(at)) return wrong("steps have no value");
      const std::int64_t first = stage.first.evaluate(at);
      const std::int64_t last = stage.last.evaluate(at);
      if (first < 0 || first > kMaxSteps || last > kMaxSteps) return wrong("steps outside 0..16777216");
      for (std::int64_t step : sample(first, last)) {
        at.step = step;
        AMALGAM_TRY(instance(plan, stage, at));
      }
    }
  }
  return {};
}

}  // namespace

Status validate(const Plan& plan) {
  AMALGAM_TRY(head(plan));
  AMALGAM_TRY(buffers(plan));
  for (const Stage& stage : plan.stages) {
    Status status = roles(plan, stage);
    if (status.ok()) status = values(plan, stage);
    if (!status.ok()) return Status(status.code(), fmt::format("stage {}: {}", stage.name, status.message()));
  }
  return {};
}

}  // namespace amalgam::plan
