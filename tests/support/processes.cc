#include "support/processes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <thread>

extern char** environ;

namespace support {

Process::Process(const std::vector<std::string>& command, const std::vector<std::string>& environment) {
  int to_child[2], from_child[2];
  EXPECT_EQ(pipe2(to_child, O_CLOEXEC), 0);
  EXPECT_EQ(pipe2(from_child, O_CLOEXEC), 0);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::vector<char*> variables;
  for (const std::string& variable : environment) variables.push_back(const_cast<char*>(variable.c_str()));
  for (char** at = environ; *at != nullptr; ++at) variables.push_back(*at);  // the first of a name wins
  variables.push_back(nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a process may end before it hears us
  pid_ = fork();
  if (pid_ == 0) {
    std::signal(SIGPIPE, SIG_DFL);
    dup2(to_child[0], STDIN_FILENO);
    dup2(from_child[1], STDOUT_FILENO);
    execve(arguments[0], arguments.data(), variables.data());
    _exit(127);
  }
  close(to_child[0]);
  close(from_child[1]);
  in_ = to_child[1];
  out_ = from_child[0];
}

Process::Process(Process&& other) noexcept
    : pid_(other.pid_), in_(other.in_), out_(other.out_), buffer_(std::move(other.buffer_)) {
  other.pid_ = other.in_ = other.out_ = -1;
}

Process::~Process() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (in_ >= 0) close(in_);
  if (out_ >= 0) close(out_);
}

bool Process::say(const std::string& line) {
  const std::string text = line + "\n";
  return write(in_, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::string Process::line(std::chrono::seconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (true) {
    if (const auto end = buffer_.find('\n'); end != std::string::npos) {
      std::string found = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return found;
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd ready{out_, POLLIN, 0};
    if (left.count() <= 0 || poll(&ready, 1, static_cast<int>(left.count())) <= 0) return "";
    char text[4096];
    const ssize_t got = read(out_, text, sizeof(text));
    if (got <= 0) return "";
    buffer_.append(text, static_cast<std::size_t>(got));
  }
}

std::string Process::expect(const std::string& prefix, std::chrono::seconds limit) {
  std::string heard;
  while (true) {
    const std::string said = line(limit);
    if (said.rfind(prefix, 0) == 0) return said;
    if (said.empty()) break;
    heard += said + "\n";
  }
  ADD_FAILURE() << "process " << pid_ << " never said '" << prefix << "'; it said:\n" << heard;
  return "";
}

void Process::signal(int number) const { kill(pid_, number); }

int Process::wait(std::chrono::seconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  int status = 0;
  while (line(std::chrono::seconds(1)) != "" || waitpid(pid_, &status, WNOHANG) == 0)  // its output ends before it does
    if (std::chrono::steady_clock::now() > deadline) return -1000;
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

Process start_rank(int rank, int ranks, const std::string& scenario, const Variables& environment,
                   const Variables& prefix) {
  const char* program = std::getenv("AMALGAM_TEST_RANK");  // set by the build: the rank program's path
  EXPECT_NE(program, nullptr);
  std::vector<std::string> command = prefix;
  for (const std::string& word : {std::string(program == nullptr ? "/bin/false" : program), std::to_string(rank),
                                  std::to_string(ranks), scenario})
    command.push_back(word);
  return Process(command, environment);
}

void carry_id(std::vector<Process>& ranks) {
  const std::string id = ranks[0].expect("id ");
  for (std::size_t rank = 1; rank < ranks.size(); ++rank) ranks[rank].say(id);
}

std::vector<Process> start_ranks(int ranks, const std::string& scenario, const VariablesOf& environment) {
  std::vector<Process> processes;
  for (int rank = 0; rank < ranks; ++rank) processes.push_back(start_rank(rank, ranks, scenario, environment(rank)));
  carry_id(processes);
  return processes;
}

std::vector<Process> start_ranks(int ranks, const std::string& scenario, const Variables& environment) {
  return start_ranks(ranks, scenario, [&](int) { return environment; });
}

}  // namespace support
