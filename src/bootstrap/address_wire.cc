#include "bootstrap/address_wire.h"

namespace amalgam::bootstrap {

std::size_t wire_size(const SocketAddress& address) { return address.family() == AF_INET6 ? 23 : 7; }

void write_address(Writer& writer, const SocketAddress& address) {
  writer.integer<std::uint8_t>(address.family() == AF_INET6 ? 6 : 4)
      .integer<std::uint16_t>(static_cast<std::uint16_t>(address.port()));
  if (address.family() == AF_INET6) {
    const auto& ipv6 = reinterpret_cast<const sockaddr_in6&>(address.storage);
    writer.raw(std::as_bytes(std::span(ipv6.sin6_addr.s6_addr))).integer<std::uint32_t>(ipv6.sin6_scope_id);
  } else {
    const auto& ipv4 = reinterpret_cast<const sockaddr_in&>(address.storage);
    writer.raw(std::as_bytes(std::span(&ipv4.sin_addr, 1)));
  }
}

SocketAddress read_address(Reader& reader) {
  SocketAddress address;
  const auto family = reader.integer<std::uint8_t>();
  const auto port = reader.integer<std::uint16_t>();
  if (family == 6) {
    auto& ipv6 = reinterpret_cast<sockaddr_in6&>(address.storage);
    const auto bytes = reader.raw(sizeof(ipv6.sin6_addr));
    ipv6.sin6_scope_id = reader.integer<std::uint32_t>();
    if (!reader.ok()) return {};
    ipv6.sin6_family = AF_INET6;
    std::memcpy(&ipv6.sin6_addr, bytes.data(), bytes.size());
  } else if (family == 4) {
    auto& ipv4 = reinterpret_cast<sockaddr_in&>(address.storage);
    const auto bytes = reader.raw(sizeof(ipv4.sin_addr));
    if (!reader.ok()) return {};
    ipv4.sin_family = AF_INET;
    std::memcpy(&ipv4.sin_addr, bytes.data(), bytes.size());
  } else {
    return {};
  }
  address.set_port(port);
  return address;
}

}  // namespace amalgam::bootstrap
