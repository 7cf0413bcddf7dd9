#pragma once

// A SocketAddress on the wire: family byte (4 or 6), port, then 4 bytes, or 16 bytes and a scope number.
//
// Errors  a malformed address makes read_address() return AF_UNSPEC; the caller checks the Reader as well.

#include "base/socket_address.h"
#include "base/wire.h"

namespace amalgam::bootstrap {

std::size_t wire_size(const SocketAddress& address);  // 7 or 23 bytes
void write_address(Writer& writer, const SocketAddress& address);
SocketAddress read_address(Reader& reader);

}  // namespace amalgam::bootstrap
