// Local processes: fork and exec of this program, one pipe each for the id, and an end that leaves nobody behind.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "failure.h"
#include "launch.h"

namespace perf {
namespace {

constexpr int kGraceTries = 300;  // of 10 ms: what others get to report a peer's end themselves

struct Child {
  pid_t pid = -1;
  int pipe = -1;  // our end: from rank 0, to the others
  int status = 0;
};

Failure system_failure(const char* what) { return Failure(std::string(what) + ": " + std::strerror(errno)); }

bool read_all(int descriptor, void* to, std::size_t bytes) {
  auto* at = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t got = read(descriptor, at, bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    bytes -= static_cast<std::size_t>(got);
  }
  return true;
}

std::string own_path() {
  std::array<char, PATH_MAX> path{};
  if (readlink("/proc/self/exe", path.data(), path.size() - 1) <= 0) throw system_failure("reading /proc/self/exe");
  return path.data();
}

[[noreturn]] void become_rank(const std::string& path, char** argv, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // it died before the line above
  execv(path.c_str(), argv);
  std::perror(path.c_str());
  _exit(1);
}

Child start(int rank, int size, const std::string& path, char** argv) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw system_failure("making a pipe");
  const int ours = rank == 0 ? ends[0] : ends[1], theirs = rank == 0 ? ends[1] : ends[0];
  setenv(kProcessVariable, (std::to_string(rank) + "/" + std::to_string(size) + "/" + std::to_string(theirs)).c_str(),
         1);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) throw system_failure("starting a process");
  if (pid == 0) {
    fcntl(theirs, F_SETFD, 0);
    become_rank(path, argv, parent);
  }
  close(theirs);
  return {pid, ours, 0};
}

void forward_id(std::vector<Child>& children) {
  ncclUniqueId id;
  const bool have = read_all(children[0].pipe, &id, sizeof(id));
  for (std::size_t i = 1; i < children.size() && have; ++i)
    if (write(children[i].pipe, &id, sizeof(id)) != sizeof(id)) break;  // it died: waiting for it tells
  for (Child& child : children) close(child.pipe);
}

int code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

void report(const char* program, std::size_t rank, int status) {
  if (WIFSIGNALED(status)) {
    std::fprintf(stderr, "%s: rank %zu was killed by signal %d (%s)\n", program, rank, WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
  } else {
    std::fprintf(stderr, "%s: rank %zu ended with status %d\n", program, rank, WEXITSTATUS(status));
  }
}

// Waits for all, or, from the first failure on, a grace time; then kills what is left. Returns the first failure's
// code.
int wait_for(std::vector<Child>& children, const char* program) {
  int code = 0;
  int tries_left = kGraceTries;
  for (std::size_t left = children.size(); left > 0;) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, code == 0 ? 0 : WNOHANG);
    if (pid < 0 && errno != EINTR) throw system_failure("waiting for the ranks");
    if (pid == 0 && --tries_left == 0)
      for (const Child& child : children)
        if (child.pid > 0) kill(child.pid, SIGKILL);
    if (pid == 0) poll(nullptr, 0, 10);
    for (std::size_t rank = 0; rank < children.size() && pid > 0; ++rank) {
      if (children[rank].pid != pid) continue;
      children[rank].pid = -1;
      --left;
      const bool killed_by_us = tries_left <= 0;
      if (status != 0 && !killed_by_us) report(program, rank, status);
      if (status != 0 && code == 0) code = code_of(status);
    }
  }
  return code;
}

}  // namespace

int run_processes(int processes, char** argv, const char* program) {
  const std::string path = own_path();
  std::vector<Child> children;
  for (int rank = 0; rank < processes; ++rank) children.push_back(start(rank, processes, path, argv));
  signal(SIGPIPE, SIG_IGN);  // only here: a rank whose reader went away ends
  forward_id(children);
  return wait_for(children, program);
}

void hand_out_id(int descriptor, const ncclUniqueId& id) {
  if (write(descriptor, &id, sizeof(id)) != sizeof(id)) throw system_failure("handing out the unique id");
  close(descriptor);
}

ncclUniqueId take_id(int descriptor) {
  ncclUniqueId id;
  if (!read_all(descriptor, &id, sizeof(id))) throw Failure("rank 0 ended before it handed out the unique id");
  close(descriptor);
  return id;
}

}  // namespace perf
