#pragma once

// Which network interfaces this process listens on: one address each, most wanted first.
//
// The grammar is NCCL_SOCKET_IFNAME's: a comma-separated list of name prefixes; '=' before the list asks for exact
// names, '^' excludes, '^=' excludes exact names. Without a list: interfaces named ib* first, then the others; docker*
// and loopback only when nothing else is up. An excluding list chooses from what is left in the same order. Link-local
// IPv6 addresses are not used, because they mean something else on every host.
//
// Threads  pure, or reading the system: any thread.

#include <string>
#include <string_view>
#include <vector>

#include "base/socket_address.h"
#include "base/status.h"

namespace amalgam::bootstrap {

struct Interface {
  std::string name;
  SocketAddress address;  // port 0
};

// `all` may list an interface several times, once per address; `family` AF_UNSPEC prefers IPv4. Empty: nothing fits.
std::vector<Interface> choose_interfaces(const std::vector<Interface>& all, std::string_view grammar,
                                         sa_family_t family);

// The system's interfaces that are up, chosen by the settings.
Result<std::vector<Interface>> usable_interfaces();

}  // namespace amalgam::bootstrap
