#include "bootstrap/status_socket.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <mutex>

#include "bootstrap/threads.h"
#include "observe/log.h"

namespace amalgam::bootstrap {
namespace {

constexpr int kPatienceMs = 2000;

struct Reporter {
  std::mutex mutex;
  std::function<std::string()> report;
};

Reporter& reporter() {
  static Reporter* const leaked = new Reporter();  // no destructor at exit
  return *leaked;
}

constinit std::atomic<int> helpers{0};

bool allowed(int fd) {
  ucred peer{};
  socklen_t length = sizeof(peer);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
  return peer.uid == 0 || peer.uid == geteuid();
}

bool ready(int fd, short events) {
  pollfd waiting{fd, events, 0};
  return poll(&waiting, 1, kPatienceMs) == 1;
}

bool read_line(int fd) {
  char line[256];
  std::size_t have = 0;
  while (have < sizeof(line) && ready(fd, POLLIN)) {
    const ssize_t got = recv(fd, line + have, sizeof(line) - have, MSG_DONTWAIT);
    if (got <= 0) return false;
    have += static_cast<std::size_t>(got);
    if (std::memchr(line, '\n', have) != nullptr) return true;
  }
  return false;
}

void write_text(int fd, std::string_view text) {
  while (!text.empty() && ready(fd, POLLOUT)) {
    const ssize_t sent = send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string make_report() {
  std::function<std::string()> report;
  {
    std::lock_guard lock(reporter().mutex);
    report = reporter().report;
  }
  return report ? report() : "no communicator has been made yet\n";
}

void* helper_main(void* argument) {
  UniqueFd fd(static_cast<int>(reinterpret_cast<std::intptr_t>(argument)));
  if (read_line(fd.get())) write_text(fd.get(), make_report());
  fd.reset();
  helpers.fetch_sub(1);
  return nullptr;
}

}  // namespace

void StatusSocket::set_reporter(std::function<std::string()> report) {
  std::lock_guard lock(reporter().mutex);
  reporter().report = std::move(report);
}

void StatusSocket::open() {
  fd_.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = "amalgam-" + std::to_string(getpid());  // abstract: begins with a zero byte
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (!fd_.valid() || bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      listen(fd_.get(), 8) != 0) {
    log::debug("no status socket {}: errno {}", name, errno);
    fd_.reset();
    return;
  }
  watch_ = Watch(loop_, fd_.get(), EPOLLIN, [this](std::uint32_t) { accept_one(); });
}

void StatusSocket::accept_one() {
  UniqueFd fd(accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!fd.valid() || !allowed(fd.get())) return;
  if (helpers.fetch_add(1) >= kHelpers) {
    helpers.fetch_sub(1);
    return;
  }
  const int raw = fd.release();
  Status started =
      start_thread(helper_main, reinterpret_cast<void*>(static_cast<std::intptr_t>(raw)), "amalgam-status");
  if (started.ok()) return;
  helpers.fetch_sub(1);
  ::close(raw);
}

}  // namespace amalgam::bootstrap
