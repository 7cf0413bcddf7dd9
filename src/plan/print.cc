// The canonical text of a plan (docs/plan-text.md): one blank between words, none inside a formula, defaults left out.

#include <fmt/format.h>

#include "base/hash.h"
#include "plan/plan.h"

namespace amalgam::plan {
namespace {

std::string named(const Plan& plan, int buffer, const Expression& part) {
  const std::string& name = plan.buffers[static_cast<std::size_t>(buffer)].name;
  return part.text() == "0" ? name : fmt::format("{}[{}]", name, part.text());
}

std::string text_of(const Plan& plan, const Buffer& buffer) {
  if (buffer.role == Role::kScratch)
    return fmt::format("buffer {} scratch {} like {}\n", buffer.name, buffer.extent.text(),
                       named(plan, buffer.like, buffer.like_part));
  switch (buffer.shape) {
    case Shape::kWhole: return fmt::format("buffer {} user whole\n", buffer.name);
    case Shape::kCut: return fmt::format("buffer {} user cut {}\n", buffer.name, buffer.extent.text());
    case Shape::kBlocks: return fmt::format("buffer {} user blocks {}\n", buffer.name, buffer.extent.text());
    case Shape::kVector: return fmt::format("buffer {} user vector {}\n", buffer.name, buffer.extent.text());
  }
  return {};
}

std::string text_of(const Plan& plan, const Operand& operand) { return named(plan, operand.buffer, operand.part); }

std::string text_of(const Plan& plan, const Dependency& dependency) {
  std::string inside;
  if (dependency.which == Dependency::Step::kAt) inside = dependency.step.text();
  if (dependency.which == Dependency::Step::kAll) inside = "*";
  if (dependency.distance != 0) {
    if (!inside.empty()) inside += ", ";
    inside += dependency.distance == Dependency::kWindow ? "k-W" : fmt::format("k-{}", dependency.distance);
  }
  const std::string& name = plan.stages[static_cast<std::size_t>(dependency.stage)].name;
  return inside.empty() ? name : fmt::format("{}[{}]", name, inside);
}

std::string action_of(const Plan& plan, const Stage& stage) {
  const std::string peer = stage.peer.text();
  switch (stage.action) {
    case Action::kSend: return fmt::format(" channel {} send {} -> {}", stage.channel, text_of(plan, stage.from), peer);
    case Action::kRecv: return fmt::format(" channel {} recv {} <- {}", stage.channel, text_of(plan, stage.to), peer);
    case Action::kReduce:
      return fmt::format(" channel {} reduce {} = {} + recv <- {}", stage.channel, text_of(plan, stage.to),
                         text_of(plan, stage.from), peer);
    case Action::kSum:
      return fmt::format(" sum {} = {} + {}[*]", text_of(plan, stage.to), text_of(plan, stage.from),
                         plan.buffers[static_cast<std::size_t>(stage.land)].name);
    case Action::kCopy: return fmt::format(" copy {} = {}", text_of(plan, stage.to), text_of(plan, stage.from));
  }
  return {};
}

std::string text_of(const Plan& plan, const Stage& stage) {
  std::string line = "stage " + stage.name;
  if (stage.has_steps) line += fmt::format(" s={}..{}", stage.first.text(), stage.last.text());
  if (stage.when.text() != "1") line += " when " + stage.when.text();
  line += action_of(plan, stage);
  if (stage.finish) line += " finish";
  const char* separator = " after ";
  for (const Dependency& dependency : stage.after) {
    line += separator + text_of(plan, dependency);
    separator = ", ";
  }
  return line + "\n";
}

}  // namespace

std::string Plan::name() const { return std::string(name_of(collective)) + "." + family; }

int Plan::buffer(std::string_view wanted) const {
  for (std::size_t i = 0; i < buffers.size(); ++i)
    if (buffers[i].name == wanted) return static_cast<int>(i);
  return -1;
}

int Plan::stage(std::string_view wanted) const {
  for (std::size_t i = 0; i < stages.size(); ++i)
    if (stages[i].name == wanted) return static_cast<int>(i);
  return -1;
}

std::string print(const Plan& plan) {
  std::string text =
      fmt::format("plan {}\ncollective {}\nranks {}\norder {}\nslice {}\nwindow {}\ncredits {}\naccumulate {}\n",
                  plan.name(), name_of(plan.collective), plan.ranks, plan.order == Order::kChunk ? "chunk" : "step",
                  plan.slice_bytes, plan.window, plan.credits, plan.wide ? "wide" : "hop");
  for (const Buffer& buffer : plan.buffers) text += text_of(plan, buffer);
  for (const Stage& stage : plan.stages) text += text_of(plan, stage);
  return text + "end\n";
}

std::uint64_t hash(const Plan& plan) { return Hash().add(print(plan)).value(); }

bool operator==(const Plan& a, const Plan& b) { return print(a) == print(b); }

}  // namespace amalgam::plan
