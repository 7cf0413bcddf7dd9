#pragma once

// Little-endian encoding for everything that crosses a process: control frames, records, ids. Fixed layout on every
// architecture. A Reader never trusts a length: reading past the end yields zeros and makes ok() false for good.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace amalgam {

class Writer {
 public:
  template <typename T>
  Writer& integer(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i)
      bytes_.push_back(static_cast<std::byte>((static_cast<std::uint64_t>(value) >> (8 * i)) & 0xff));
    return *this;
  }
  Writer& raw(std::span<const std::byte> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  Writer& blob(std::span<const std::byte> bytes) {
    return integer<std::uint32_t>(static_cast<std::uint32_t>(bytes.size())).raw(bytes);
  }
  Writer& text(std::string_view text) { return blob(std::as_bytes(std::span(text.data(), text.size()))); }

  const std::vector<std::byte>& bytes() const { return bytes_; }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <typename T>
  T integer() {
    std::uint64_t value = 0;
    if (!take(sizeof(T))) return T{};
    for (std::size_t i = 0; i < sizeof(T); ++i)
      value |= static_cast<std::uint64_t>(bytes_[at_ - sizeof(T) + i]) << (8 * i);
    return static_cast<T>(value);
  }
  std::span<const std::byte> raw(std::size_t size) {
    return take(size) ? bytes_.subspan(at_ - size, size) : std::span<const std::byte>{};
  }
  std::span<const std::byte> blob() { return raw(integer<std::uint32_t>()); }
  std::string text() {
    auto bytes = blob();
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  std::size_t remaining() const { return bytes_.size() - at_; }
  bool ok() const { return ok_; }
  bool finished() const { return ok_ && at_ == bytes_.size(); }

 private:
  bool take(std::size_t size) {
    if (!ok_ || size > remaining()) return ok_ = false;
    at_ += size;
    return true;
  }
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace amalgam
