#pragma once

// A Connector between the two ranks of this benchmark: TCP connections over 127.0.0.1, made before the fork.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <map>

#include "base/transport.h"

namespace amalgam::micro {

class SocketConnector final : public transport::Connector {
 public:
  explicit SocketConnector(int rank) : rank_(rank) {}

  // Sockets for every stream the benchmark may want; call once per pair of ranks, before they part.
  static void make_pairs() {
    for (auto& pair : pairs()) pair = connect_pair();
  }

  void want(int, transport::StreamKey, const SocketAddress&, const SocketAddress&) override {}
  Result<UniqueFd> take(int, transport::StreamKey key) override {
    return UniqueFd(dup(pairs()[key.index][static_cast<std::size_t>(rank_)]));
  }
  std::vector<SocketAddress> listeners() const override {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(1);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return {SocketAddress::from(reinterpret_cast<const sockaddr*>(&address), sizeof(address))};
  }

 private:
  using Pair = std::array<int, 2>;
  static std::array<Pair, 16>& pairs() {
    static std::array<Pair, 16> all;
    return all;
  }

  static Pair connect_pair() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    Pair pair{socket(AF_INET, SOCK_STREAM, 0), -1};
    if (bind(listener, generic, length) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, generic, &length) != 0 || connect(pair[0], generic, length) != 0)
      std::abort();
    pair[1] = accept(listener, nullptr, nullptr);
    close(listener);
    for (int fd : pair) fcntl(fd, F_SETFL, O_NONBLOCK);
    return pair;
  }

  const int rank_;
};

}  // namespace amalgam::micro
