#pragma once

// One rank's memory as the checker sees it: what each range holds, who wrote it last and who has read it since.
//
// Every access is reported to a judge, which is asked whether an earlier access is certainly over before the current
// one begins. Asking about the last writer, and for writes also about the readers since, covers all conflicting pairs,
// because accesses come in an order that the plan allows and the pairs asked about form chains.
//
// Threads: one.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "plan/check_values.h"

namespace amalgam::plan {

struct Access {
  int stage = -1;
  std::int64_t index = -1;
  bool operator==(const Access&) const = default;
};
using Judge = std::function<void(const Access& earlier)>;

// Who touched a range: the last writer, and the latest reader of each stage since.
class Users {
 public:
  void read(const Access& by, const Judge& judge);
  void write(const Access& by, const Judge& judge);

 private:
  Access writer_;
  std::vector<Access> readers_;
};

// A flat memory of elements: a user buffer, two that overlap, or one slot of a scratch buffer.
class Region {
 public:
  void put(std::uint64_t first, std::uint64_t count, int node,
           std::uint64_t origin);  // initial content, behind the last one
  std::uint64_t size() const { return size_; }

  Content read(std::uint64_t first, std::uint64_t count, const Access& by, const Judge& judge);
  // False when something that it overwrites was stored and never read: then the plan lost it.
  bool write(std::uint64_t first, const Content& content, const Access& by, const Judge& judge);
  Content look(std::uint64_t first, std::uint64_t count);  // at the end: not an access

 private:
  struct Cell {
    Segment holds;
    Users users;
    bool unread = false;  // stored, and not read since
  };
  using Cells = std::map<std::uint64_t, Cell>;
  Cells::iterator split(std::uint64_t at);
  Cells cells_;
  std::uint64_t size_ = 0;
};

}  // namespace amalgam::plan
