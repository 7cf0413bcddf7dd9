#include "plugins/island/loader/cache.h"

#include <cstdint>
#include <cstring>

namespace amalgam::loader {
namespace {

// glibc's dl-cache.h, version 1.1. An old-format cache may precede it, padded to a multiple of 8.
constexpr std::string_view kMagic = "glibc-ld.so.cache1.1";

struct Header {
  char magic[20];
  std::uint32_t libraries;
  std::uint32_t strings_bytes;
  std::uint32_t unused[5];
};
static_assert(sizeof(Header) == 48);

struct Library {
  std::int32_t flags;
  std::uint32_t name, path;  // offsets from the header
  std::uint32_t os_version;
  std::uint64_t hardware;
};
static_assert(sizeof(Library) == 24);

#if defined(__x86_64__)
constexpr std::int32_t kThisMachine = 0x0303;  // ELF of libc 6, x86-64
#elif defined(__aarch64__)
constexpr std::int32_t kThisMachine = 0x0a03;  // likewise, 64-bit Arm
#endif

std::string_view text_at(std::string_view cache, std::uint32_t offset) {
  if (offset >= cache.size()) return {};
  const std::string_view rest = cache.substr(offset);
  const std::size_t end = rest.find('\0');
  return end == std::string_view::npos ? std::string_view() : rest.substr(0, end);
}

}  // namespace

std::vector<std::string> find_in_cache(std::string_view cache, std::string_view soname) {
  std::vector<std::string> paths;
  const std::size_t start = cache.find(kMagic);
  if (start == std::string_view::npos || cache.size() - start < sizeof(Header)) return paths;
  cache.remove_prefix(start);
  Header header;
  std::memcpy(&header, cache.data(), sizeof(header));
  for (std::uint64_t i = 0; i < header.libraries; ++i) {
    const std::uint64_t at = sizeof(Header) + i * sizeof(Library);
    if (at + sizeof(Library) > cache.size()) break;
    Library library;
    std::memcpy(&library, cache.data() + at, sizeof(library));
    if (library.flags != kThisMachine || text_at(cache, library.name) != soname) continue;
    if (const std::string_view path = text_at(cache, library.path); !path.empty()) paths.emplace_back(path);
  }
  return paths;
}

}  // namespace amalgam::loader
