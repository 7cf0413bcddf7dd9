// The ceiling for TCP: two processes send M bytes to each other over COMPARE_SOCKETS connections and add nothing.
// One thread per process; sockets are tried in turn without blocking, and poll() waits when none can move.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <vector>

#include "bench/compare/core.h"

namespace compare {
namespace {

constexpr size_t kPiece = 256 * 1024;  // as large as one slice of Amalgam's TCP lanes

struct Half {  // one direction of one socket
  char* at;
  size_t left;
};

void Tune(int socket) {
  const int on = 1, buffer = 4 << 20;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
}

class Raw : public Backend {
 public:
  Raw() : rank_(NumberFromEnvironment("COMPARE_RANK")), sockets_(NumberFromEnvironment("COMPARE_SOCKETS")) {
    if (NumberFromEnvironment("COMPARE_RANKS") != 2) Fail("raw sockets are for two ranks");
    const std::string path = TextFromEnvironment("COMPARE_MEET", ".") + "/port";
    rank_ == 0 ? Listen(path) : Connect(path);
    for (int socket : sockets_) fcntl(socket, F_SETFL, O_NONBLOCK);
  }

  int Rank() const override { return rank_; }
  int Ranks() const override { return 2; }
  bool HasResult() const override { return false; }
  std::string Missing(Collective collective) const override {
    return collective == Collective::kAllreduce ? "" : "raw sockets only stand beside allreduce";
  }

  void Run(const Request& r) override {
    Split(r.send, r.count * sizeof(float), out_);
    Split(r.recv, r.count * sizeof(float), in_);
    while (Pending()) {
      bool moved = false;
      for (size_t i = 0; i < sockets_.size(); ++i) {
        moved |= Advance(in_[i], recv(sockets_[i], in_[i].at, std::min(in_[i].left, kPiece), 0));
        moved |= Advance(out_[i], send(sockets_[i], out_[i].at, std::min(out_[i].left, kPiece), MSG_NOSIGNAL));
      }
      if (!moved && ++idle_ % 256 == 0) Wait();
    }
  }

 private:
  void Listen(const std::string& path) {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    Tune(listener);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (bind(listener, reinterpret_cast<sockaddr*>(&address), length) != 0 || listen(listener, 16) != 0) Fail("listen");
    getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
    std::FILE* file = std::fopen((path + ".new").c_str(), "w");
    std::fprintf(file, "%d\n", ntohs(address.sin_port));
    std::fclose(file);
    std::rename((path + ".new").c_str(), path.c_str());
    for (int& socket : sockets_) {
      socket = accept(listener, nullptr, nullptr);
      Tune(socket);
    }
    close(listener);
  }

  void Connect(const std::string& path) {
    int port = 0;
    while (port == 0) {
      if (std::FILE* file = std::fopen(path.c_str(), "r")) {
        if (std::fscanf(file, "%d", &port) != 1) port = 0;
        std::fclose(file);
      }
      usleep(1000);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int& connection : sockets_) {
      connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      Tune(connection);
      if (connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) Fail("connect");
    }
  }

  void Split(float* data, size_t bytes, std::vector<Half>& halves) {
    halves.resize(sockets_.size());
    const size_t share = bytes / sockets_.size();
    for (size_t i = 0; i < halves.size(); ++i) {
      const bool last = i + 1 == halves.size();
      halves[i] = {reinterpret_cast<char*>(data) + i * share, last ? bytes - i * share : share};
    }
  }

  bool Pending() const {
    for (size_t i = 0; i < sockets_.size(); ++i)
      if (in_[i].left + out_[i].left != 0) return true;
    return false;
  }

  static bool Advance(Half& half, ssize_t moved) {
    if (half.left == 0) return false;
    if (moved == 0 || (moved < 0 && errno != EAGAIN && errno != EINTR)) Fail("the other process is gone");
    if (moved < 0) return false;
    half.at += moved;
    half.left -= static_cast<size_t>(moved);
    return true;
  }

  void Wait() {
    std::vector<pollfd> wanted;
    for (size_t i = 0; i < sockets_.size(); ++i) {
      const int events = (in_[i].left != 0 ? POLLIN : 0) | (out_[i].left != 0 ? POLLOUT : 0);
      if (events != 0) wanted.push_back({sockets_[i], static_cast<short>(events), 0});
    }
    poll(wanted.data(), wanted.size(), 100);
  }

  int rank_;
  std::vector<int> sockets_;
  std::vector<Half> in_, out_;
  unsigned idle_ = 0;
};

}  // namespace
}  // namespace compare

int main(int argc, char** argv) {
  compare::Raw raw;
  return compare::RunRank(raw, argc, argv);
}
