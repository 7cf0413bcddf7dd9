#pragma once

// Sixteen random bytes that tell one object of this machine from every other: segments, processes, transports. Equality
// is proof of identity between ranks of one job; it is not a secret.
//
// Threads    any. Errors: make_nonce() reports what getrandom said.

#include <array>
#include <cstdint>
#include <string>

#include "base/status.h"

namespace amalgam {

struct Nonce {
  std::array<std::uint64_t, 2> words{};
  bool operator==(const Nonce&) const = default;
};

Result<Nonce> make_nonce();
std::string hex(const Nonce& nonce);  // 32 digits

}  // namespace amalgam
