#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/unique_fd.h"
#include "tools/commands.h"

namespace amalgam::tools {
namespace {

constexpr int kPatienceSeconds = 30;  // the process gathers its peers' records first
constexpr std::string_view kRequest = "status\n";

// Asks the process on its abstract socket; it answers its own user and root.
int status(int pid) {
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = "amalgam-" + std::to_string(pid);
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const timeval patience{kPatienceSeconds, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  if (!fd.valid() || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0)
    return fail(
        fmt::format(
            "process {} does not answer: {} (is it running, in this network namespace, with a communicator made?)", pid,
            std::strerror(errno)),
        kNo);
  if (::send(fd.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL) < 0)
    return fail(fmt::format("process {} hung up", pid), kNo);
  char buffer[4096];
  bool answered = false;
  for (ssize_t got = 0; (got = ::recv(fd.get(), buffer, sizeof(buffer), 0)) != 0; answered = true) {
    if (got < 0) return fail(fmt::format("process {} stopped answering: {}", pid, std::strerror(errno)), kNo);
    std::fwrite(buffer, 1, static_cast<std::size_t>(got), stdout);
  }
  return answered ? 0 : fail(fmt::format("process {} refused: it answers its own user and root", pid), kNo);
}

}  // namespace

void add_status(CLI::App* program, int* exit_code) {
  CLI::App* command = program->add_subcommand("status", "what the communicators of a running process are doing");
  auto pid = std::make_shared<int>(0);
  command->add_option("pid", *pid, "process")->required()->check(CLI::PositiveNumber);
  command->callback([pid, exit_code] { *exit_code = status(*pid); });
}

}  // namespace amalgam::tools
