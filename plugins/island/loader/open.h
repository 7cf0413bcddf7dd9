#pragma once

// Opens a vendor's collective library in a process whose first library of that name is ours.
//
// By absolute path and RTLD_LOCAL, so that nobody else's names change; then every reference of it, and of what it
// brought along, to functions of its own names is bound back to it (rebind.h) and checked; only then may it be called.
// A library whose relocations are of an unknown kind is opened with RTLD_DEEPBIND instead, unless malloc is interposed
// (another allocator, a sanitizer): memory would cross allocators there.
//
// Threads    any; each path is opened once, later calls get the same library
// Ownership  never closed: vendor libraries leave threads behind
// Errors     Code::kSystem with the dynamic linker's text or what was wrong with the file

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace amalgam::loader {

struct Opened {
  void* handle = nullptr;
  std::string path;
  std::size_t rebound = 0;  // references bound back to it
  bool was_mapped = false;  // the process had it already
  bool deepbind = false;
};

// `before` runs once, just before the library's constructors could.
Result<Opened> open(const std::string& path, std::span<const std::string_view> prefixes,
                    const std::function<void()>& before = {});

}  // namespace amalgam::loader
