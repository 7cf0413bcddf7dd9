#pragma once

// The judge: is this plan right for this call? Written from docs/plan-text.md alone; shares no code with the library,
// so that it can say whether the library's checker and families are right.
//
// All interleavings of all ranks are covered, for each of: a send is done only after its receive (credits 0 only),
// lanes that hold exactly max(1, credits) slices, lanes without a limit (credits are what a lane must hold, not all
// that it may). Two searches find the same:
//
//   kEvery    visits every reachable state, memory and lanes' contents included, with a set of those seen.
//   kOrdered  exact too, by an argument instead of a walk. Once no lane has two stages at one end (checked first), a
//   step that may run
//             can only be ended by running it, so every execution runs the same steps in some order: one execution
//             shows whether all finish. Two steps can be at their memory in the same moment exactly when each can be
//             reached while the other is held back; both are tried for each pair that conflicts. Without such a pair,
//             executions differ only in the order of steps that do not meet in memory, so the results and overwrites of
//             one execution are those of all.
//
// Small cases only. Thread-safe: no state outside the call.

#include <cstdint>
#include <string>
#include <string_view>

#include "oracle/layout.h"

namespace oracle {

enum class Verdict { kRight, kWrong, kUndecided };
enum class Search { kOrdered, kEvery };

struct Result {
  Verdict verdict = Verdict::kRight;
  std::string reason;        // when wrong
  std::uint64_t states = 0;  // kEvery: visited; kUndecided when they are too many
};

struct Options {
  Search search = Search::kOrdered;
  std::uint64_t most_states = 200'000;
};

Result interpret(std::string_view plan, const Request& request, const Options& options = {});

// Rank `sender` runs a plan of collective send, rank `receiver` one of recv, each the other's `root`; the others run
// nothing.
Result interpret_pair(std::string_view send_plan, std::string_view recv_plan, int sender, int receiver,
                      const Request& request, const Options& options = {});

}  // namespace oracle
