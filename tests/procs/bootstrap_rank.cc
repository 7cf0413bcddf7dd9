// One rank of a bootstrap group as a process of its own, for bootstrap_test.cc.
//
//   bootstrap_rank id                     prints a unique id as hexadecimal digits, and serves its rendezvous until
//   standard input ends bootstrap_rank join RANK RANKS [ID]   joins (ID "-": from NCCL_COMM_ID), prints "joined GROUP",
//   then obeys lines:
//     gather   allgathers its rank; prints "gathered N"       error  waits for the group's error; prints "error TEXT"
//     fork     what a forked child may do; prints "child TEXT"
//     leave    destroys the group; prints "left"              quit   destroys the group and exits at once
//   end of input: exits without destroying anything

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <future>
#include <iostream>
#include <string>

#include "bootstrap/group.h"

// It exits without destroying anything, on purpose; and the search for leaks, which stops the other threads, was seen
// to wait for one of them for ever.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }

namespace {

using namespace amalgam;
using namespace amalgam::bootstrap;

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

std::string hexadecimal(const UniqueId& id) {
  std::string text;
  char digits[3];
  for (std::byte b : id.bytes) {
    std::snprintf(digits, sizeof(digits), "%02x", static_cast<unsigned>(b));
    text += digits;
  }
  return text;
}

UniqueId parse(const std::string& text) {
  UniqueId id;
  for (std::size_t i = 0; i < id.bytes.size() && 2 * i + 1 < text.size(); ++i)
    id.bytes[i] = static_cast<std::byte>(std::stoi(text.substr(2 * i, 2), nullptr, 16));
  return id;
}

int make_id() {
  Result<UniqueId> id = create_unique_id();
  say(id ? hexadecimal(*id) : "failed " + id.status().message());
  std::string line;
  while (std::getline(std::cin, line)) continue;
  return 0;
}

void gather(Group& group, int rank) {
  const std::byte mine[1] = {static_cast<std::byte>(rank)};
  auto all = group.allgather(mine, nullptr, std::chrono::seconds(60));
  say(all ? "gathered " + std::to_string(all->size()) : "failed " + all.status().message());
}

void fork_child() {
  const pid_t child = fork();
  if (child == 0) {
    say("child " + create_unique_id().status().message());
    _exit(0);
  }
  waitpid(child, nullptr, 0);
}

int run(JoinOptions options) {
  std::promise<Status> failed;
  std::future<Status> failure = failed.get_future();
  options.on_error = [&failed](const Status& status) { failed.set_value(status); };
  options.timeout = std::chrono::seconds(60);
  const int rank = options.rank;
  auto joined = Group::join(std::move(options));
  if (!joined) {
    say("failed " + joined.status().message());
    return 1;
  }
  std::unique_ptr<Group> group = joined.take();
  say("joined " + std::to_string(group->id()));
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "gather") gather(*group, rank);
    if (line == "error") say("error " + failure.get().message());
    if (line == "fork") fork_child();
    if (line != "leave" && line != "quit") continue;
    group.reset();
    if (line == "quit") _exit(0);
    say("left");
  }
  (void)group.release();  // exit without destroy
  std::exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 2 && std::string(argv[1]) == "id") return make_id();
  if (argc < 4) return 2;
  JoinOptions options;
  options.rank = std::stoi(argv[2]);
  options.ranks = std::stoi(argv[3]);
  if (argc > 4 && std::string(argv[4]) != "-") {
    options.id = parse(argv[4]);
    return run(std::move(options));
  }
  Result<UniqueId> id = create_unique_id();
  if (!id) {
    say("failed " + id.status().message());
    return 1;
  }
  options.id = *id;
  return run(std::move(options));
}
