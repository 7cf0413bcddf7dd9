#pragma once

// Keys, their public names, and proofs: everything that membership of a group rests on.
//
// A key is 32 secret bytes and never crosses the wire. It is named there by a one-way hash (KeyId), so that one
// listener serves many groups. A proof is a keyed BLAKE2b over what both sides said, fresh nonces included, and the
// side that proves: it cannot be replayed on another connection nor reflected on the same one.
//
// Threads  pure functions, any thread.

#include <array>
#include <cstddef>
#include <string_view>

#include "base/status.h"
#include "base/types.h"

namespace amalgam::bootstrap {

using Key = std::array<std::byte, 32>;
using KeyId = std::array<std::byte, 16>;
using Nonce = std::array<std::byte, 32>;
using Proof = std::array<std::byte, 32>;

enum class Side : std::uint8_t { kDialer = 1, kListener = 2 };

Status fill_random(Bytes bytes);

Key derive_key(const Key& from, std::string_view purpose, ConstBytes context);
Key key_from_text(std::string_view secret, std::string_view context);
std::uint64_t number_of(const Key& session);  // the public id of a group
KeyId name_of(const Key& key);
Proof prove(const Key& key, Side side, ConstBytes hello, const Nonce& listener_nonce);
bool same(const Proof& one, const Proof& other);  // constant time

}  // namespace amalgam::bootstrap
