#pragma once

// One execution of a system, step by step: who may go on (Control), and what that does to memory (Data). The searches
// in interpret.cc decide which steps are tried.
//
// A Machine is immutable but for its table of terms; Control and Data are values. Not for several threads.

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "oracle/system.h"
#include "oracle/terms.h"

namespace oracle {

// How many slices a lane holds. 0: a send is done only after its receive is.
//
// A send takes two steps: its slice goes into the lane, and, at any later moment, it is done. In between it may still
// read its operand, even when the receiver already has the slice: only the send's being done says otherwise.
using Capacity = std::int64_t;
inline constexpr Capacity kUnbounded = INT64_MAX;

struct Control {
  std::vector<std::int64_t> done;  // per process
  std::vector<char> sent;          // per process: its current send's slice is in the lane, or through it
  std::vector<std::int64_t> held;  // per lane
};

struct Data {
  std::vector<std::vector<std::uint64_t>> memory;  // per rank and element: term · 2 + 1 if stored and not yet read
  std::vector<std::deque<std::vector<std::uint64_t>>> lanes;  // terms
};

class Machine {
 public:
  Machine(const System& system, Capacity capacity) : system_(system), capacity_(capacity) {}

  Control start() const;
  Data initial();

  const Instance* current(const Control& at, std::size_t process) const;  // null: the process is through
  bool may_run(const Control& at, std::size_t process) const;             // a step of this process exists
  bool touches(const Control& at, std::size_t process) const;             // its current instance may be at its operands
  bool all_done(const Control& at) const;

  // The step of a process that may run. advance() moves the counters; apply(), called before it, the data: what is
  // wrong, or empty.
  void advance(Control& at, std::size_t process) const;
  std::string apply(const Control& at, std::size_t process, Data& data);

  std::string check_results(const Data& data) const;  // in an end state: what is wrong, or empty
  std::string stuck(const Control& at) const;

 private:
  bool ready(const Control& at, std::size_t process) const;  // predecessors and dependencies done
  void settle(Control& at) const;                            // vacuous instances are done when their turn comes
  std::vector<std::uint64_t> read(Data& data, int rank, const Range& range, bool pre_scale);
  std::vector<std::uint64_t> received(const Instance& instance, Data& data);
  std::vector<std::uint64_t> result_of(const Process& process, const Instance& instance, Data& data);
  std::vector<std::uint64_t> sum(const Process& process, const Instance& instance, Data& data);
  std::string store(Data& data, const Process& process, const Instance& instance,
                    const std::vector<std::uint64_t>& terms);

  const System& system_;
  Capacity capacity_;
  Terms terms_;
};

// Two instances of one rank of which one writes where the other reads or writes.
bool conflict(const Instance& a, const Instance& b);

}  // namespace oracle
