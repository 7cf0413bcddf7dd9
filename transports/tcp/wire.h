#pragma once

// What goes over a TCP lane, and how a rank describes where it listens.
//
//   frame         24 bytes of SliceTag (communicator, plan, sequence, position, bytes; little-endian), then the payload
//   description   version u8, count u8, then per listener: family u8 (4 or 6), port u16, scope u32, address 4 or 16
//   bytes
//
// Nothing else: no lengths beyond the tag, which the receiver compares with its own before the slice counts as
// received.

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "base/socket_address.h"
#include "base/transport.h"

namespace amalgam::tcp {

inline constexpr std::size_t kFrameBytes = 24;
using Frame = std::array<std::byte, kFrameBytes>;

Frame encode(const transport::SliceTag& tag);
transport::SliceTag decode(const Frame& frame);

std::vector<std::byte> encode_listeners(const std::vector<SocketAddress>& listeners);
std::optional<std::vector<SocketAddress>> decode_listeners(
    const std::vector<std::byte>& bytes);  // empty: not a description

}  // namespace amalgam::tcp
