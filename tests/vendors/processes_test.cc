// Ranks of several stacks as processes in one communicator, each of which knows its own vendor's libraries alone: as
// test programs in C++, as a C program that is linked with -lnccl, and as clients by Python's ctypes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "support/processes.h"

namespace {

using support::Process;
using testing::ElementsAre;
using testing::IsEmpty;

struct Member {
  std::string vendor;  // "host": a CPU rank
  int device = -1;
};

std::string variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  EXPECT_NE(value, nullptr) << name << " is set by the build";
  return value == nullptr ? "" : value;
}

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> all;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    all.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return all;
}

// The command of a member's vendor, its rank, the number of ranks, its device.
std::vector<Process> start(const std::string& kind, const std::vector<Member>& members, const std::string& test = "") {
  std::vector<Process> processes;
  for (std::size_t rank = 0; rank < members.size(); ++rank) {
    std::vector<std::string> command = words(variable(kind + "_" + members[rank].vendor));
    for (const std::string& word :
         {std::to_string(rank), std::to_string(members.size()), std::to_string(members[rank].device)})
      command.push_back(word);
    if (!test.empty()) command.push_back("--gtest_filter=Process." + test);
    processes.emplace_back(command, std::vector<std::string>{});
  }
  support::carry_id(processes);
  return processes;
}

// What the process said under this word, once it has ended well.
struct Said {
  std::vector<std::string> mapped, island;
};

Said end_well(Process& process, const Member& member) {
  Said said;
  std::string all, line;
  while (!(line = process.line()).empty()) {
    all += line + "\n";
    if (line.starts_with("mapped ")) said.mapped.push_back(line.substr(7));
    if (line.starts_with("island ")) said.island.push_back(line.substr(7));
  }
  EXPECT_EQ(process.wait(), 0) << member.vendor << " said:\n" << all;
  return said;
}

// The sum of 1 << rank over the ranks of a vendor.
int sum_of(const std::vector<Member>& members, const std::string& vendor) {
  int sum = 0;
  for (std::size_t rank = 0; rank < members.size(); ++rank) sum += members[rank].vendor == vendor ? 1 << rank : 0;
  return sum;
}

void check(const std::string& kind, const std::vector<Member>& members) {
  std::vector<Process> processes = start(kind, members, kind == "RANK" ? "EveryCollective" : "");
  for (std::size_t rank = 0; rank < members.size(); ++rank) {
    const Member& member = members[rank];
    const Said said = end_well(processes[rank], member);
    if (member.vendor == "host") {
      EXPECT_THAT(said.mapped, IsEmpty());
    } else {
      EXPECT_THAT(said.mapped, ElementsAre(member.vendor));
    }
    EXPECT_THAT(said.island, ElementsAre(member.vendor + " " + std::to_string(sum_of(members, member.vendor))));
  }
}

TEST(Processes, SixRanksOfFourVendorsAndACpu) {
  check("RANK", {{"nvidia", 0}, {"amd", 0}, {"nvidia", 1}, {"host"}, {"hygon", 0}, {"iluvatar", 0}});
}

TEST(Processes, UnevenIslandsOfTwoVendors) {
  check("RANK", {{"nvidia", 0}, {"iluvatar", 1}, {"nvidia", 2}, {"iluvatar", 0}, {"nvidia", 1}});
}

TEST(Processes, ACProgramThatIsLinkedWithLnccl) {
  check("PROGRAM", {{"hygon", 0}, {"nvidia", 0}, {"host"}, {"nvidia", 1}});
}

TEST(Processes, ClientsByCtypes) { check("CLIENT", {{"iluvatar", 1}, {"host"}, {"amd", 0}, {"iluvatar", 0}}); }

TEST(Processes, AKilledRankIsAnErrorOnAllOthersWhoseStreamsGoOn) {
  std::vector<Process> processes =
      start("RANK", {{"nvidia", 0}, {"nvidia", 1}, {"host"}, {"nvidia", 2}, {"amd", 0}, {"amd", 1}}, "LosesAPeer");
  for (Process& process : processes) process.expect("working");
  processes[1].signal(SIGKILL);
  for (std::size_t rank : {0, 2, 3, 4, 5}) {
    processes[rank].expect("survived");
    EXPECT_EQ(processes[rank].wait(), 0);
  }
}

}  // namespace
