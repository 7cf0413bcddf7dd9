#pragma once

// FNV-1a, 64 bits: agreement between ranks (cluster, plan, settings), not security. Equal on all architectures.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace amalgam {

class Hash {
 public:
  Hash& add(std::span<const std::byte> bytes) {
    for (std::byte b : bytes) value_ = (value_ ^ static_cast<std::uint64_t>(b)) * 0x100000001b3ULL;
    return *this;
  }
  Hash& add(std::string_view text) {
    for (char c : text) value_ = (value_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return add_integer(text.size());
  }
  Hash& add_integer(std::uint64_t integer) {  // little-endian, whatever the machine
    for (int i = 0; i < 8; ++i) value_ = (value_ ^ ((integer >> (8 * i)) & 0xff)) * 0x100000001b3ULL;
    return *this;
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

}  // namespace amalgam
