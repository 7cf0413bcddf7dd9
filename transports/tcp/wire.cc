#include "transports/tcp/wire.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/wire.h"

namespace amalgam::tcp {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kMostListeners = 64;

template <typename T>
void put(std::byte*& to, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) *to++ = static_cast<std::byte>(value >> (8 * i) & 0xff);
}

template <typename T>
T get(const std::byte*& from) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value |= static_cast<T>(static_cast<T>(*from++) << (8 * i));
  return value;
}

ConstBytes bytes_of(const void* address, std::size_t size) { return {static_cast<const std::byte*>(address), size}; }

void encode_address(Writer& writer, const SocketAddress& address) {
  if (address.family() == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(address.storage);
    writer.integer<std::uint8_t>(6).integer(ntohs(six.sin6_port)).integer(six.sin6_scope_id);
    writer.raw(bytes_of(&six.sin6_addr, 16));
  } else {
    const auto& four = reinterpret_cast<const sockaddr_in&>(address.storage);
    writer.integer<std::uint8_t>(4).integer(ntohs(four.sin_port)).integer<std::uint32_t>(0);
    writer.raw(bytes_of(&four.sin_addr, 4));
  }
}

// `scope` of a link-local address is the sender's interface number, which is the receiver's own affair on another host;
// it is carried because on one host it is right, and elsewhere the connector binds the local address of that rail.
bool decode_address(Reader& reader, SocketAddress* address) {
  const auto family = reader.integer<std::uint8_t>();
  const auto port = reader.integer<std::uint16_t>();
  const auto scope = reader.integer<std::uint32_t>();
  if (family != 4 && family != 6) return false;
  const auto raw = reader.raw(family == 4 ? 4 : 16);
  if (!reader.ok()) return false;
  if (family == 6) {
    auto& six = reinterpret_cast<sockaddr_in6&>(address->storage);
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    six.sin6_scope_id = scope;
    std::memcpy(&six.sin6_addr, raw.data(), 16);
  } else {
    auto& four = reinterpret_cast<sockaddr_in&>(address->storage);
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    std::memcpy(&four.sin_addr, raw.data(), 4);
  }
  return true;
}

}  // namespace

Frame encode(const transport::SliceTag& tag) {
  Frame frame;
  std::byte* to = frame.data();
  put(to, tag.communicator);
  put(to, tag.plan);
  put(to, tag.sequence);
  put(to, tag.position);
  put(to, tag.bytes);
  return frame;
}

transport::SliceTag decode(const Frame& frame) {
  const std::byte* from = frame.data();
  transport::SliceTag tag;
  tag.communicator = get<std::uint32_t>(from);
  tag.plan = get<std::uint32_t>(from);
  tag.sequence = get<std::uint64_t>(from);
  tag.position = get<std::uint32_t>(from);
  tag.bytes = get<std::uint32_t>(from);
  return tag;
}

std::vector<std::byte> encode_listeners(const std::vector<SocketAddress>& listeners) {
  const std::size_t count = std::min(listeners.size(), kMostListeners);
  Writer writer;
  writer.integer(kVersion).integer(static_cast<std::uint8_t>(count));
  for (std::size_t i = 0; i < count; ++i) encode_address(writer, listeners[i]);
  return writer.take();
}

std::optional<std::vector<SocketAddress>> decode_listeners(const std::vector<std::byte>& bytes) {
  Reader reader(bytes);
  if (reader.integer<std::uint8_t>() != kVersion) return std::nullopt;
  std::vector<SocketAddress> listeners(reader.integer<std::uint8_t>());
  if (listeners.empty() || listeners.size() > kMostListeners) return std::nullopt;
  for (SocketAddress& listener : listeners)
    if (!decode_address(reader, &listener)) return std::nullopt;
  if (!reader.finished()) return std::nullopt;
  return listeners;
}

}  // namespace amalgam::tcp
