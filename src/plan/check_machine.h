#pragma once

// Runs all ranks' programs on symbols, in one order that the rules allow, on lanes as tight as the plan promises to
// live with. A plan has no choices, so it stops in one order exactly when it stops in all; what the order could hide
// (an access that another order puts elsewhere) the histories find.
//
// Threads: one. Errors: the first thing that is wrong, with rank, stage, step and chunk.

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/status.h"
#include "plan/check_memory.h"
#include "plan/check_order.h"
#include "plan/check_outcome.h"
#include "plan/check_values.h"
#include "plan/unfold.h"

namespace amalgam::plan {

class Machine {
 public:
  explicit Machine(const Unfolded& all);
  Status run();      // to the end of all programs
  Status races();    // after run(): every conflicting pair of accesses is ordered
  Status results();  // after run(): what each rank holds

 private:
  struct Rank {  // one actor's state
    Layout layout;
    std::array<Region, 2> user;              // in, out; shared: only the first
    std::vector<std::vector<Region>> slots;  // per buffer
    std::vector<std::int64_t> done;          // per stage
    std::vector<char> begun;                 // per stage: its next instance is a send that began
    std::vector<char> queued;                // per stage: is on the work list
    std::vector<std::vector<int>> waiters;   // per stage: stages that depend on it
    History history;
    std::vector<std::pair<Access, Access>> doubts;  // earlier, later: the own program does not order them
  };
  struct Wire {
    std::deque<Content> content;
    std::int64_t sent = 0, received = 0;
  };
  struct Now {  // the instance at hand
    int actor;
    int stage;
    const Actor& program;
    const Stage& what;
    const Instance& instance;
    Access access;
  };

  void lay_out(int actor);
  void push(int actor, int stage);
  bool ready(const Now& now) const;
  Result<bool> advance(int actor, int stage);
  Result<bool> advance_send(const Now& now);
  Result<bool> act(const Now& now);
  Status finish(const Now& now);

  Region* locate(const Now& now, const Span& span, bool writes, std::uint64_t* first, std::string* problem);
  Result<Content> load(const Now& now, const Span& span);
  Status store(const Now& now, const Span& span, const Content& content);
  Region* memory(const Now& now, const Span& span, bool writes, std::uint64_t* first, std::string* problem);
  bool scales(const Now& now, const Span& span) const;
  bool idle(const Now& now) const;
  Result<Content> operand(const Now& now);
  Result<Content> sum(const Now& now);
  Content combine(const Content& a, const Content& b);
  Judge judge(const Now& now);

  Status wrong(const Now& now, const std::string& text) const;
  Status stuck() const;
  Status compare(int actor, const Expected& expected, const Content& holds);
  Status same_association();

  const Unfolded& all_;
  bool folds_;  // the collective reduces
  Values values_;
  std::vector<Rank> ranks_;
  std::vector<Wire> wires_;
  std::vector<Event> trace_;
  std::deque<std::pair<int, int>> work_;
};

}  // namespace amalgam::plan
