#pragma once

// What a joining rank and the root say to each other.
//
//   rank → root  kJoin      who it is, what it was started with, where it listens
//   root → rank  kAssign    the session's nonce, parent and children            (when all are there)
//   rank → root  kAttached  its edges of the tree stand
//   root → rank  kGo        all are attached
//   either       kError     code and text; the group will not come up
//
// Threads  pure functions, any thread. Decoders check everything and fail with kProtocol.

#include <cstdint>
#include <string>
#include <vector>

#include "base/socket_address.h"
#include "base/status.h"
#include "bootstrap/secret.h"

namespace amalgam::bootstrap {

inline constexpr std::size_t kMaxListeners = 64;
inline constexpr std::size_t kMaxErrorText = 512;
inline constexpr std::uint32_t kMaxRanks = 1u << 20;

struct Contact {
  std::uint32_t rank = 0;
  std::uint32_t pid = 0;
  std::string host;
  std::vector<SocketAddress> listeners;

  std::string text() const;  // "rank 5 (host, pid 123)"
};

struct JoinRequest {
  std::uint32_t ranks = 0;
  std::uint16_t protocol = 0;
  std::string library;
  std::uint64_t timeout_ms = 0;  // what is left of its init
  Contact contact;
};

struct Assignment {
  Nonce session{};
  std::vector<Contact> parent;  // none or one
  std::vector<Contact> children;
};

Contact own_contact(std::uint32_t rank, const std::vector<SocketAddress>& listeners);

std::vector<std::byte> encode(const JoinRequest& request);
std::vector<std::byte> encode(const Assignment& assignment);
std::vector<std::byte> encode(const Status& error);
Result<JoinRequest> decode_join(ConstBytes payload);
Result<Assignment> decode_assignment(ConstBytes payload);
Status decode_error(ConstBytes payload);  // never ok

// What every rank tells every other over the tree, last in join.
std::vector<std::byte> encode(const Contact& contact);
Result<Contact> decode_contact(ConstBytes payload);

// "rank 3, 5 and 9 have not joined" for what `missing` yields; at most a few names.
std::string list_ranks(const std::vector<std::uint32_t>& ranks, std::size_t total);

// The tree over the ranks: 4-ary, rank 0 on top.
inline constexpr std::uint32_t kArity = 4;
inline std::uint32_t parent_of(std::uint32_t rank) { return (rank - 1) / kArity; }
std::vector<std::uint32_t> children_of(std::uint32_t rank, std::uint32_t ranks);
std::uint32_t subtree_size(std::uint32_t rank, std::uint32_t ranks);

}  // namespace amalgam::bootstrap
