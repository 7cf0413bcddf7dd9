// The Machine's memory accesses: which memory an operand is, whether it may be touched, and who touched it before.

#include <fmt/format.h>

#include "plan/check_machine.h"

namespace amalgam::plan {

Judge Machine::judge(const Now& now) {
  return [this, &now](const Access& earlier) {
    Rank& rank = ranks_[static_cast<std::size_t>(now.actor)];
    if (!rank.history.over(earlier)) rank.doubts.emplace_back(earlier, now.access);
  };
}

Status Machine::wrong(const Now& now, const std::string& text) const {
  return Status(Code::kInternal, describe(now.program, now.stage, now.instance) + ": " + text);
}

// The memory of a user operand and its first element there, or null with what is wrong.
Region* Machine::locate(const Now& now, const Span& span, bool writes, std::uint64_t* first, std::string* problem) {
  Rank& rank = ranks_[static_cast<std::size_t>(now.actor)];
  const Layout& at = rank.layout;
  const bool is_in = now.program.plan().buffers[static_cast<std::size_t>(span.buffer)].role == Role::kIn;
  const std::uint64_t size = is_in ? at.in_size : at.out_size;
  *first = span.first + (is_in ? at.in_offset : at.out_offset);
  if (span.first > size || span.count > size - span.first) {
    *problem = fmt::format("elements {} to {} of a buffer of {}", span.first, span.first + span.count, size);
  } else if (!(is_in ? at.in_given : at.out_given)) {
    *problem =
        is_in ? "reads the send buffer of a rank that has none" : "touches the receive buffer of a rank that has none";
  } else if (writes && is_in &&
             !(at.shared && at.out_given && *first >= at.out_offset &&
               *first + span.count <= at.out_offset + at.out_size)) {
    *problem = "writes the send buffer";
  } else {
    return &rank.user[is_in || at.shared ? 0 : 1];
  }
  return nullptr;
}

// The memory of any operand.
Region* Machine::memory(const Now& now, const Span& span, bool writes, std::uint64_t* first, std::string* problem) {
  if (!span.scratch()) return locate(now, span, writes, first, problem);
  Rank& rank = ranks_[static_cast<std::size_t>(now.actor)];
  *first = 0;
  return &rank.slots[static_cast<std::size_t>(span.buffer)][static_cast<std::size_t>(span.slot)];
}

Result<Content> Machine::load(const Now& now, const Span& span) {
  std::uint64_t first = 0;
  std::string problem;
  Region* region = memory(now, span, false, &first, &problem);
  if (!region) return wrong(now, problem);
  Content content = region->read(first, span.count, now.access, judge(now));
  if (scales(now, span))
    for (Segment& run : content) run.node = values_.scaled(run.node);
  return content;
}

// Reading `in` of a call that reduces applies the pre-scale.
bool Machine::scales(const Now& now, const Span& span) const {
  return folds_ && now.program.plan().buffers[static_cast<std::size_t>(span.buffer)].role == Role::kIn;
}

// A copy of memory onto itself that changes nothing: not even an access, and `in` need not exist where it is `out` in
// name only.
bool Machine::idle(const Now& now) const {
  return now.what.action == Action::kCopy && !now.what.finish && !scales(now, now.instance.from) &&
         same_memory(now.program, ranks_[static_cast<std::size_t>(now.actor)].layout, now.instance);
}

Status Machine::store(const Now& now, const Span& span, const Content& content) {
  std::uint64_t first = 0, other = 0;
  std::string problem;
  Region* region = memory(now, span, true, &first, &problem);
  if (!region) return wrong(now, problem);
  const Span& from = now.instance.from;
  if (from.buffer >= 0 && memory(now, from, false, &other, &problem) == region && first != other &&
      first < other + from.count && other < first + span.count)
    return wrong(now, "its source and its destination overlap");
  if (region->write(first, content, now.access, judge(now))) return {};
  return wrong(now, "overwrites what nobody has read");
}

}  // namespace amalgam::plan
