#pragma once

// What the 128 bytes of a unique id say, and how they are made.
//
//   0  magic "AMLGM-ID"      8  version u16      10  place of the root u8 (RootPlace)      11  number of addresses u8
//  12  secret, 32 bytes     44  the root's addresses, 7 or 23 bytes each                  124  checksum u32
//
// An id from NCCL_COMM_ID=host:port is derived by every rank alike: its secret comes from the settings secret or
// secret_file and the port. Without one it is refused, unless the address is loopback.
//
// Threads  pure functions, any thread; the COMM_ID form may resolve a name and read a file.

#include <string>
#include <string_view>
#include <vector>

#include "base/socket_address.h"
#include "base/status.h"
#include "bootstrap/secret.h"
#include "bootstrap/unique_id.h"

namespace amalgam::bootstrap {

enum class RootPlace : std::uint8_t {
  kCreator = 0,       // the process that made the id holds the rendezvous already
  kFixedAddress = 1,  // from NCCL_COMM_ID: rank 0 listens at that address when it joins
  kLeader = 2,        // derived from another group: rank 0 opens it on its process's listeners when it joins
};

// For error texts: how two sides come to have one secret.
constexpr const char* secret_advice(RootPlace place) {
  return place == RootPlace::kFixedAddress ? "set AMALGAM_SECRET or AMALGAM_SECRET_FILE alike on every rank"
                                           : "pass the id of one ncclGetUniqueId to all ranks of one communicator";
}

struct IdContent {
  RootPlace place = RootPlace::kCreator;
  Key secret{};
  std::vector<SocketAddress> addresses;
};

UniqueId encode_id(const IdContent& content);  // keeps as many addresses as fit: 11 IPv4 or 3 IPv6
Result<IdContent> decode_id(const UniqueId& id);

Result<IdContent> content_from_comm_id(const std::string& comm_id, const std::string& secret);
IdContent derived_content(const Key& session, std::string_view label, std::uint32_t leader,
                          std::vector<SocketAddress> addresses);
Result<std::string> configured_secret();  // settings secret, else the content of secret_file, else empty

}  // namespace amalgam::bootstrap
