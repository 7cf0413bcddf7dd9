// Ranks as processes: kills, stops, forks, exits without destroy, static rendezvous, IPv6. No threads in this process.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace {

using testing::HasSubstr;
using testing::StartsWith;

using Variables = std::map<std::string, std::string>;

class Process {
 public:
  Process(std::vector<std::string> arguments, const Variables& variables) {
    const char* program = std::getenv("AMALGAM_TEST_BOOTSTRAP_RANK");
    if (program == nullptr) std::abort();  // in the child, a failure would go on as a test of its own
    int in[2];
    int out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) std::abort();
    pid_ = fork();
    if (pid_ == 0) execute(program, std::move(arguments), variables, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    in_ = in[1];
    out_ = fdopen(out[0], "r");
  }
  ~Process() {
    close(in_);
    kill(pid_, SIGCONT);
    int status = 0;
    waitpid(pid_, &status, 0);
    std::fclose(out_);
    EXPECT_TRUE(killed_ || WIFEXITED(status)) << "signal " << WTERMSIG(status);
  }
  Process(const Process&) = delete;

  void tell(const std::string& line) {
    EXPECT_EQ(write(in_, (line + "\n").data(), line.size() + 1), static_cast<ssize_t>(line.size() + 1));
  }
  std::string hear() {
    char line[2048] = {};
    if (std::fgets(line, sizeof(line), out_) == nullptr) return "(the process ended)";
    return std::string(line, std::string(line).find_last_not_of('\n') + 1);
  }
  std::string ask(const std::string& line) {
    tell(line);
    return hear();
  }
  void signal(int number) {
    killed_ |= number == SIGKILL;
    kill(pid_, number);
  }

 private:
  [[noreturn]] static void execute(const char* program, std::vector<std::string> arguments, const Variables& variables,
                                   int in, int out) {
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    setenv("AMALGAM_INTERFACES", "=lo", 1);
    setenv("AMALGAM_LOG", "error", 0);
    for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
    std::vector<char*> list = {const_cast<char*>(program)};
    for (std::string& argument : arguments) list.push_back(argument.data());
    list.push_back(nullptr);
    execv(program, list.data());
    _exit(127);
  }

  pid_t pid_ = -1;
  int in_ = -1;
  FILE* out_ = nullptr;
  bool killed_ = false;
};

// A process that holds the rendezvous, and one per rank.
struct World {
  World(int ranks, const Variables& variables = {}) : creator({"id"}, variables) {
    const std::string id = creator.hear();
    for (int rank = 0; rank < ranks; ++rank)
      processes.push_back(std::make_unique<Process>(
          std::vector<std::string>{"join", std::to_string(rank), std::to_string(ranks), id}, variables));
    for (auto& process : processes) EXPECT_THAT(process->hear(), StartsWith("joined"));
  }
  Process creator;
  std::vector<std::unique_ptr<Process>> processes;
};

class KilledRank : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(TopInnerAndLeaf, KilledRank, testing::Values(0, 1, 6));

TEST_P(KilledRank, IsReportedOnAllOthers) {
  World world(7);
  const std::size_t victim = GetParam();
  for (auto& process : world.processes) process->tell("gather");
  for (auto& process : world.processes) EXPECT_EQ(process->hear(), "gathered 7");
  world.processes[victim]->signal(SIGKILL);
  for (std::size_t rank = 0; rank < world.processes.size(); ++rank) {
    if (rank == victim) continue;
    const std::string error = world.processes[rank]->ask("error");
    EXPECT_THAT(error, HasSubstr("rank " + std::to_string(victim) + " ("));
    EXPECT_THAT(error, HasSubstr("died: connection"));
  }
}

TEST(StoppedRank, IsReportedBySilence) {
  World world(3, {{"AMALGAM_SILENCE_TIMEOUT", "1500ms"}});
  world.processes[1]->signal(SIGSTOP);
  for (std::size_t rank : {0, 2}) EXPECT_THAT(world.processes[rank]->ask("error"), HasSubstr("died: silent for 1.5 s"));
}

TEST(LeavingRanks, AreNoDeathsEvenWhenTheirProcessesEnd) {
  World world(6);
  for (std::size_t rank : {1, 4}) {
    EXPECT_EQ(world.processes[rank]->ask("leave"), "left");
    world.processes[rank]->signal(SIGKILL);
  }
  EXPECT_EQ(world.processes[0]->ask("leave"), "left");
  world.processes[2]->signal(SIGKILL);  // the first death that anyone may hear of
  EXPECT_THAT(world.processes[3]->ask("error"), HasSubstr("rank 2 (")) << "relayed by rank 0, which has left";
}

TEST(LeavingRanks, MayExitAtOnce) {
  World world(5);
  world.processes[1]->tell("quit");
  EXPECT_EQ(world.processes[1]->hear(), "(the process ended)");
  world.processes[4]->signal(SIGKILL);  // what rank 0 hears first must be this one
  EXPECT_THAT(world.processes[0]->ask("error"), HasSubstr("rank 4 ("));
}

TEST(ForkedChild, CannotUseTheLibraryAndHoldsNothingOpen) {
  World world(2);
  EXPECT_THAT(world.processes[1]->ask("fork"), HasSubstr("after fork"));
  for (auto& process : world.processes) process->tell("gather");
  for (auto& process : world.processes) EXPECT_EQ(process->hear(), "gathered 2");
}

int free_port() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), length), 0);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  close(fd);
  return ntohs(address.sin_port);
}

TEST(CommId, BringsRanksTogetherWithoutAnId) {
  const Variables variables = {{"NCCL_COMM_ID", "127.0.0.1:" + std::to_string(free_port())}};
  std::vector<std::unique_ptr<Process>> processes;
  for (int rank : {2, 1, 0})
    processes.push_back(
        std::make_unique<Process>(std::vector<std::string>{"join", std::to_string(rank), "3", "-"}, variables));
  for (auto& process : processes) EXPECT_THAT(process->hear(), StartsWith("joined"));
  for (auto& process : processes) process->tell("gather");
  for (auto& process : processes) EXPECT_EQ(process->hear(), "gathered 3");
}

TEST(CommId, IsRefusedOffLoopbackWithoutASecret) {
  Process process({"join", "0", "2", "-"}, {{"NCCL_COMM_ID", "192.0.2.77:4000"}});
  EXPECT_THAT(process.hear(), HasSubstr("AMALGAM_SECRET"));
}

bool has_ipv6_loopback() {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool bound = fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  if (fd >= 0) close(fd);
  return bound;
}

TEST(Ipv6, CarriesAGroup) {
  if (!has_ipv6_loopback()) GTEST_SKIP() << "no ::1 here";
  World world(3, {{"NCCL_SOCKET_FAMILY", "AF_INET6"}});
  for (auto& process : world.processes) process->tell("gather");
  for (auto& process : world.processes) EXPECT_EQ(process->hear(), "gathered 3");
}

}  // namespace
