// One rank as a process: runs a scenario, prints a line for each thing that happened, waits for a line where it must be
// held.
//
// usage: rank RANK RANKS SCENARIO

#include "rank.h"

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <vector>

namespace rank_program {

void tell(const std::string& line) { std::cout << line << std::endl; }

std::string hear() {
  std::string line;
  std::getline(std::cin, line);
  return line;
}

bool report(const char* what, ncclResult_t result) {
  if (result == ncclSuccess) return true;
  tell(std::string(what) + " failed " + std::to_string(result) + " " + ncclGetLastError(nullptr));
  return false;
}

void report_async(const Self& self) {
  ncclResult_t state = ncclSuccess;
  ncclCommGetAsyncError(self.comm, &state);
  tell("async " + std::to_string(state));
}

bool join(Self& self) { return report("init", ncclCommInitRank(&self.comm, self.ranks, self.id, self.rank)); }

std::size_t option(const char* variable, std::size_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string text_option(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? "" : text;
}

bool check_sum(const Self& self, std::size_t count, int round) {
  std::vector<float> in(count), out(count);
  for (std::size_t i = 0; i < count; ++i)
    in[i] = static_cast<float>((i + static_cast<std::size_t>(self.rank * 7 + round)) % 32);
  if (!report("allreduce", ncclAllReduce(in.data(), out.data(), count, ncclFloat32, ncclSum, self.comm, nullptr)))
    return false;
  for (std::size_t i = 0; i < count; ++i) {
    float want = 0;
    for (int r = 0; r < self.ranks; ++r) want += static_cast<float>((i + static_cast<std::size_t>(r * 7 + round)) % 32);
    if (out[i] == want) continue;
    tell("wrong element " + std::to_string(i));
    return false;
  }
  return true;
}

int leave(Self& self) {
  if (!report("destroy", ncclCommDestroy(self.comm))) return 3;
  tell("end");
  return 0;
}

namespace {

std::string hex(const ncclUniqueId& id) {
  std::string text;
  char digits[3];
  for (char byte : id.internal) {
    std::snprintf(digits, sizeof(digits), "%02x", static_cast<unsigned char>(byte));
    text += digits;
  }
  return text;
}

// Rank 0 makes the id and the test carries it to the others; with NCCL_COMM_ID everyone makes it.
bool exchange_id(Self& self) {
  const bool everyone = !text_option("NCCL_COMM_ID").empty();
  if (self.rank == 0 || everyone) {
    if (!report("getid", ncclGetUniqueId(&self.id))) return false;
    if (self.rank == 0) tell("id " + hex(self.id));
  }
  if (self.rank == 0) return true;
  const std::string line = hear();
  if (everyone) return true;
  if (line.size() < 3 + 2 * sizeof(self.id.internal)) return false;
  for (std::size_t i = 0; i < sizeof(self.id.internal); ++i)
    self.id.internal[i] = static_cast<char>(std::stoi(line.substr(3 + 2 * i, 2), nullptr, 16));
  return true;
}

struct Scenario {
  int (*run)(Self&);
  bool joins = true;  // before it runs
};

const std::map<std::string, Scenario>& scenarios() {
  static const std::map<std::string, Scenario> all = {
      {"until_error", {until_error}},
      {"random_until_error", {random_until_error}},
      {"idle", {idle}},
      {"sums", {sums}},
      {"random_calls", {random_calls}},
      {"held_back", {held_back}},
      {"mismatch", {mismatch}},
      {"shrink_on", {shrink_on}},
      {"early_exit", {early_exit}},
      {"forks", {forks}},
      {"return_without_destroy", {return_without_destroy}},
      {"quick_exit_without_destroy", {quick_exit_without_destroy}},
      {"exit_while_communicating", {exit_while_communicating}},
      {"abort_init", {abort_init, false}},
      {"abort_collective", {abort_collective}},
      {"abort_group", {abort_group}},
      {"abort_send", {abort_send}},
      {"abort_finalize", {abort_finalize}},
      {"rounds", {rounds}},
  };
  return all;
}

}  // namespace
}  // namespace rank_program

int main(int argc, char** argv) {
  using namespace rank_program;
  if (argc != 4 || scenarios().count(argv[3]) == 0) return 64;
  Self self;
  self.rank = std::atoi(argv[1]);
  self.ranks = std::atoi(argv[2]);
  if (!exchange_id(self)) return 65;
  const Scenario& scenario = scenarios().at(argv[3]);
  if (scenario.joins && !join(self)) return 66;
  return scenario.run(self);
}
