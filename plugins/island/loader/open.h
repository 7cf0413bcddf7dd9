#pragma once

// Opens a vendor's collective library in a process whose first library of that name is ours.
//
// By absolute path and RTLD_LOCAL, so that nobody else's names change; then every reference of it and of its private
// dependencies to functions of its own names is bound back to it (rebind.h) and checked, and their view of the
// environment is narrowed (environment.h); only then may it be called. A library whose file has relocations of an
// unknown kind is opened with RTLD_DEEPBIND instead, unless malloc is interposed (another allocator, a sanitizer):
// memory would cross allocators there.
//
// Threads    any, also a constructor that runs under somebody's dlopen: no lock of ours is held while the dynamic
//            linker works. Two threads that open one path at once do the work twice, and get the same library
// Ownership  never closed: vendor libraries leave threads behind
// Errors     Code::kSystem with the dynamic linker's text or what was wrong with the file

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "plugins/island/loader/find.h"

namespace amalgam::loader {

struct Opened {
  void* handle = nullptr;
  std::string path;
  std::string why;           // this file and no other: see Candidate
  std::size_t rebound = 0;   // references bound back to it
  std::size_t filtered = 0;  // references to getenv and its like that go to the filter
  bool was_mapped = false;   // the process had it already
  bool deepbind = false;     // RTLD_DEEPBIND keeps it apart, not rebinding
  int version = 0;           // what its GetVersion tells; 0: it has none, or it failed

  std::string describe() const;  // why and how, for people: "beside torch, 19 references bound back"
};

Result<Opened> open(const Candidate& candidate, std::span<const std::string_view> prefixes);

}  // namespace amalgam::loader
