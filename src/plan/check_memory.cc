#include "plan/check_memory.h"

#include <algorithm>

namespace amalgam::plan {
namespace {

// Appends a run, joined to the one before where it continues it.
void append(Content* content, const Segment& run) {
  if (!content->empty()) {
    Segment& last = content->back();
    if (last.node == run.node && last.origin + last.count == run.origin) {
      last.count += run.count;
      return;
    }
  }
  content->push_back(run);
}

}  // namespace

void Users::read(const Access& by, const Judge& judge) {
  if (writer_.stage >= 0 && !(writer_ == by)) judge(writer_);
  for (Access& reader : readers_)
    if (reader.stage == by.stage)
      return void(reader = by);  // instances of a stage come in order: the latest stands for all
  readers_.push_back(by);
}

void Users::write(const Access& by, const Judge& judge) {
  if (writer_.stage >= 0 && !(writer_ == by)) judge(writer_);
  for (const Access& reader : readers_)
    if (!(reader == by)) judge(reader);
  readers_.clear();
  writer_ = by;
}

void Region::put(std::uint64_t first, std::uint64_t count, int node, std::uint64_t origin) {
  if (count == 0) return;
  cells_[first] = {{count, node, origin}, {}, false};
  size_ = first + count;
}

// The cell that begins at `at`, made by cutting the one that spans it.
Region::Cells::iterator Region::split(std::uint64_t at) {
  auto next = cells_.lower_bound(at);
  if (at >= size_ || (next != cells_.end() && next->first == at)) return next;
  auto spanning = std::prev(next);
  const std::uint64_t head = at - spanning->first;
  Cell tail = spanning->second;
  tail.holds.count -= head;
  tail.holds.origin += head;
  spanning->second.holds.count = head;
  return cells_.emplace_hint(next, at, std::move(tail));
}

Content Region::read(std::uint64_t first, std::uint64_t count, const Access& by, const Judge& judge) {
  Content content;
  const auto end = split(first + count);
  for (auto cell = split(first); cell != end; ++cell) {
    cell->second.users.read(by, judge);
    cell->second.unread = false;
    append(&content, cell->second.holds);
  }
  return content;
}

bool Region::write(std::uint64_t first, const Content& content, const Access& by, const Judge& judge) {
  std::uint64_t at = first;
  bool used = true;
  for (const Segment& run : content) {
    const auto end = split(at + run.count);
    Segment rest = run;
    for (auto cell = split(at); cell != end; ++cell) {
      cell->second.users.write(by, judge);
      used &= !cell->second.unread;
      cell->second.unread = true;
      cell->second.holds.node = rest.node;
      cell->second.holds.origin = rest.origin;
      rest.origin += cell->second.holds.count;
    }
    at += run.count;
  }
  return used;
}

Content Region::look(std::uint64_t first, std::uint64_t count) {
  Content content;
  const auto end = split(first + count);
  for (auto cell = split(first); cell != end; ++cell) append(&content, cell->second.holds);
  return content;
}

}  // namespace amalgam::plan
