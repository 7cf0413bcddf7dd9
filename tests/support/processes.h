#pragma once

// N ranks as processes of the test: spawned, spoken to by lines over pipes, killed and stopped at will.
//
// The child is tests/procs/rank.cc; it prints one line for each thing that happened and reads one line for each thing
// it waits for, so a test never sleeps to be in step. Every wait here has a deadline, after which the test fails with
// what was said so far.

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace support {

class Process {
 public:
  Process(const std::vector<std::string>& command, const std::vector<std::string>& environment);
  Process(Process&& other) noexcept;
  Process(const Process&) = delete;
  ~Process();  // kills it if it still runs

  bool say(const std::string& line);  // false: it has ended
  std::string line(
      std::chrono::seconds limit = std::chrono::seconds(60));  // next line; "" at the end or after the limit
  // The next line that starts so; fails the test otherwise.
  std::string expect(const std::string& prefix, std::chrono::seconds limit = std::chrono::seconds(60));
  void signal(int number) const;
  int wait(std::chrono::seconds limit = std::chrono::seconds(60));  // exit code, or -signal; -1000 after the limit
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  int in_ = -1, out_ = -1;
  std::string buffer_;
};

using Variables = std::vector<std::string>;  // NAME=value
using VariablesOf = std::function<Variables(int rank)>;

// One rank process that waits for the id (rank 0: makes it). `prefix` is a command that runs it, as `nsenter …`.
Process start_rank(int rank, int ranks, const std::string& scenario, const Variables& environment = {},
                   const Variables& prefix = {});
void carry_id(std::vector<Process>& ranks);  // from rank 0 to the others

std::vector<Process> start_ranks(int ranks, const std::string& scenario, const VariablesOf& environment);

// Starts `ranks` rank processes in a scenario and carries the unique id from rank 0 to the others.
std::vector<Process> start_ranks(int ranks, const std::string& scenario,
                                 const std::vector<std::string>& environment = {});

}  // namespace support
