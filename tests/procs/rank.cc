// One rank as a process: runs a scenario, prints a line for each thing that happened, waits for a line where it must be held.
//
// usage: rank RANK RANKS SCENARIO

#include <nccl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Self {
  int rank = 0, ranks = 1;
  ncclComm_t comm = nullptr;
};

void tell(const std::string& line) { std::cout << line << std::endl; }

std::string hear() {
  std::string line;
  std::getline(std::cin, line);
  return line;
}

// Reports a result; what failed is told with its text. Returns true when it was a success.
bool report(const char* what, ncclResult_t result) {
  if (result == ncclSuccess) return true;
  tell(std::string(what) + " failed " + std::to_string(result) + " " + ncclGetLastError(nullptr));
  return false;
}

std::string hex(const ncclUniqueId& id) {
  std::string text;
  char digits[3];
  for (char byte : id.internal) {
    std::snprintf(digits, sizeof(digits), "%02x", static_cast<unsigned char>(byte));
    text += digits;
  }
  return text;
}

bool exchange_id(const Self& self, ncclUniqueId* id) {
  if (self.rank == 0) {
    if (!report("getid", ncclGetUniqueId(id))) return false;
    tell("id " + hex(*id));
    return true;
  }
  const std::string line = hear();
  for (std::size_t i = 0; i < sizeof(id->internal); ++i)
    id->internal[i] = static_cast<char>(std::stoi(line.substr(3 + 2 * i, 2), nullptr, 16));
  return true;
}

bool check_sum(const Self& self, std::size_t count, int round) {
  std::vector<float> in(count), out(count);
  for (std::size_t i = 0; i < count; ++i) in[i] = static_cast<float>((i + static_cast<std::size_t>(self.rank * 7 + round)) % 32);
  if (!report("allreduce", ncclAllReduce(in.data(), out.data(), count, ncclFloat32, ncclSum, self.comm, nullptr))) return false;
  for (std::size_t i = 0; i < count; ++i) {
    float want = 0;
    for (int r = 0; r < self.ranks; ++r) want += static_cast<float>((i + static_cast<std::size_t>(r * 7 + round)) % 32);
    if (out[i] == want) continue;
    tell("wrong element " + std::to_string(i));
    return false;
  }
  return true;
}

void report_async(const Self& self) {
  ncclResult_t state = ncclSuccess;
  ncclCommGetAsyncError(self.comm, &state);
  tell("async " + std::to_string(state));
}

// Allreduces until something breaks; the test kills or stops a rank meanwhile.
int until_error(Self& self) {
  if (!check_sum(self, 100'000, 0)) return 1;
  tell("started");
  for (int round = 1;; ++round)
    if (!check_sum(self, 1 + static_cast<std::size_t>(round * 977 % 300'000), round)) break;
  report_async(self);
  report("abort", ncclCommAbort(self.comm));
  tell("end");
  return 0;
}

int sums(Self& self) {
  std::size_t count = 1;
  for (int round = 0; round < 40; ++round, count = count * 3 / 2 + 1)
    if (!check_sum(self, count, round)) return 1;
  report("destroy", ncclCommDestroy(self.comm));
  tell("end");
  return 0;
}

// Rank 0 sends, destroys and exits before the others look.
int early_exit(Self& self) {
  std::vector<int> data(1000, self.rank == 0 ? 42 : 0);
  if (self.rank != 0) hear();
  if (!report("broadcast", ncclBroadcast(data.data(), data.data(), data.size(), ncclInt32, 0, self.comm, nullptr))) return 1;
  for (int value : data)
    if (value != 42) return 2;
  if (self.rank == 0) tell("sent");
  report("destroy", ncclCommDestroy(self.comm));
  tell("end");
  return 0;
}

// The last rank is held back before the third allreduce.
int held_back(Self& self) {
  for (int round = 0; round < 2; ++round)
    if (!check_sum(self, 10, round)) return 1;
  tell("entering");
  if (self.rank == self.ranks - 1) hear();
  if (!check_sum(self, 10, 2)) return 1;
  report("destroy", ncclCommDestroy(self.comm));
  tell("end");
  return 0;
}

// Rank 1 passes another count than the rest.
int mismatch(Self& self) {
  std::vector<float> data(2000);
  const std::size_t count = self.rank == 1 ? 1000 : 2000;
  report("allreduce", ncclAllReduce(data.data(), data.data(), count, ncclFloat32, ncclSum, self.comm, nullptr));
  report_async(self);
  ncclCommAbort(self.comm);
  tell("end");
  return 0;
}

// After a rank died: the others shrink and go on.
int shrink_on(Self& self) {
  if (!check_sum(self, 1000, 0)) return 1;
  tell("started");
  for (int round = 1; check_sum(self, 50'000, round); ++round) {
  }
  int dead = self.ranks - 1;
  ncclComm_t smaller = nullptr;
  if (!report("shrink", ncclCommShrink(self.comm, &dead, 1, &smaller, nullptr, NCCL_SHRINK_ABORT))) return 1;
  Self survivor{self.rank, self.ranks - 1, smaller};
  if (!check_sum(survivor, 1000, 5)) return 1;
  tell("shrunk");
  ncclCommDestroy(smaller);
  ncclCommAbort(self.comm);
  tell("end");
  return 0;
}

// A child of fork() must be told that it cannot communicate, and must not disturb its parent.
int forks(Self& self) {
  const pid_t child = fork();
  if (child == 0) {
    float value = 0;
    _exit(ncclAllReduce(&value, &value, 1, ncclFloat32, ncclSum, self.comm, nullptr) == ncclSuccess ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  tell("child " + std::to_string(WEXITSTATUS(status)));
  return sums(self);
}

const std::map<std::string, int (*)(Self&)> kScenarios = {
    {"until_error", until_error}, {"sums", sums},           {"early_exit", early_exit}, {"held_back", held_back},
    {"mismatch", mismatch},       {"shrink_on", shrink_on}, {"forks", forks}};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 || kScenarios.count(argv[3]) == 0) return 64;
  Self self{std::atoi(argv[1]), std::atoi(argv[2]), nullptr};
  ncclUniqueId id;
  if (!exchange_id(self, &id)) return 65;
  if (!report("init", ncclCommInitRank(&self.comm, self.ranks, id, self.rank))) return 66;
  return kScenarios.at(argv[3])(self);
}
