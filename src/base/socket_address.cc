#include "base/socket_address.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace amalgam {
namespace {

sockaddr_in& ipv4(sockaddr_storage& storage) { return reinterpret_cast<sockaddr_in&>(storage); }
sockaddr_in6& ipv6(sockaddr_storage& storage) { return reinterpret_cast<sockaddr_in6&>(storage); }
const sockaddr_in& ipv4(const sockaddr_storage& storage) { return reinterpret_cast<const sockaddr_in&>(storage); }
const sockaddr_in6& ipv6(const sockaddr_storage& storage) { return reinterpret_cast<const sockaddr_in6&>(storage); }

Status malformed(const std::string& text) {
  return Status(Code::kInvalidArgument,
                "'" + text + "' is not an address with port (10.0.0.1:123 or [fe80::1%eth0]:123)");
}

bool parse_port(const std::string& text, int* port) {
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, *port);
  return error == std::errc() && stop == end && *port >= 0 && *port <= 65535;
}

// An interface's name or its number.
unsigned parse_scope(const std::string& text) {
  if (unsigned index = if_nametoindex(text.c_str()); index != 0) return index;
  unsigned index = 0;
  std::from_chars(text.data(), text.data() + text.size(), index);
  return index;
}

bool parse_ipv6(const std::string& host, SocketAddress* address) {
  const std::size_t percent = host.find('%');
  sockaddr_in6& target = ipv6(address->storage);
  target.sin6_family = AF_INET6;
  if (inet_pton(AF_INET6, host.substr(0, percent).c_str(), &target.sin6_addr) != 1) return false;
  if (percent == std::string::npos) return true;
  target.sin6_scope_id = parse_scope(host.substr(percent + 1));
  return target.sin6_scope_id != 0;
}

bool parse_ipv4(const std::string& host, SocketAddress* address) {
  ipv4(address->storage).sin_family = AF_INET;
  return inet_pton(AF_INET, host.c_str(), &ipv4(address->storage).sin_addr) == 1;
}

}  // namespace

Result<SocketAddress> SocketAddress::parse(const std::string& host_and_port) {
  const std::size_t colon = host_and_port.rfind(':');
  int port = 0;
  if (colon == std::string::npos || !parse_port(host_and_port.substr(colon + 1), &port))
    return malformed(host_and_port);
  const std::string host = host_and_port.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  SocketAddress address;
  const bool parsed = bracketed ? parse_ipv6(host.substr(1, host.size() - 2), &address) : parse_ipv4(host, &address);
  if (!parsed) return malformed(host_and_port);
  address.set_port(port);
  return address;
}

SocketAddress SocketAddress::from(const sockaddr* address, socklen_t length) {
  SocketAddress result;
  if (address != nullptr) std::memcpy(&result.storage, address, std::min<std::size_t>(length, sizeof(result.storage)));
  return result;
}

int SocketAddress::port() const {
  return ntohs(family() == AF_INET6 ? ipv6(storage).sin6_port : ipv4(storage).sin_port);
}

void SocketAddress::set_port(int port) {
  const auto network = htons(static_cast<std::uint16_t>(port));
  if (family() == AF_INET6)
    ipv6(storage).sin6_port = network;
  else
    ipv4(storage).sin_port = network;
}

bool SocketAddress::is_loopback() const {
  if (family() == AF_INET) return (ntohl(ipv4(storage).sin_addr.s_addr) >> 24) == 127;
  if (family() != AF_INET6) return false;
  const in6_addr& address = ipv6(storage).sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&address) || (IN6_IS_ADDR_V4MAPPED(&address) && address.s6_addr[12] == 127);
}

std::string SocketAddress::host() const {
  char host[INET6_ADDRSTRLEN] = {};
  if (family() == AF_INET) {
    inet_ntop(AF_INET, &ipv4(storage).sin_addr, host, sizeof(host));
    return host;
  }
  if (family() != AF_INET6) return "(no address)";
  inet_ntop(AF_INET6, &ipv6(storage).sin6_addr, host, sizeof(host));
  std::string scope;
  if (const unsigned index = ipv6(storage).sin6_scope_id; index != 0) {
    char name[IF_NAMESIZE] = {};
    scope = "%" + (if_indextoname(index, name) != nullptr ? std::string(name) : std::to_string(index));
  }
  return "[" + std::string(host) + scope + "]";
}

std::string SocketAddress::text() const {
  const bool known = family() == AF_INET || family() == AF_INET6;
  return known ? host() + ":" + std::to_string(port()) : host();
}

}  // namespace amalgam
