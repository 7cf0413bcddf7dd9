#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "base/status.h"

namespace amalgam {

// An IPv4 or IPv6 address with port.
struct SocketAddress {
  sockaddr_storage storage{};

  static Result<SocketAddress> parse(
      const std::string& host_and_port);  // "10.0.0.1:123", "[fe80::1%eth0]:123"; no name lookup
  static SocketAddress from(const sockaddr* address, socklen_t length);

  sa_family_t family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  socklen_t length() const { return family() == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in); }
  int port() const;
  void set_port(int port);
  bool is_loopback() const;
  std::string host() const;  // "10.0.0.1", "[fe80::1%eth0]"
  std::string text() const;  // "10.0.0.1:123"
};

}  // namespace amalgam
