#pragma once

// Where a vendor's collective library may lie, most trusted place first.

#include <span>
#include <string>
#include <vector>

namespace amalgam::loader {

struct Search {
  std::string path;                      // the user's word; with it nothing else is tried
  std::span<const char* const> sonames;  // of the vendor's library
  std::span<const char* const> torch;    // places relative to the folder of a mapped libtorch
  std::span<const char* const> folders;  // of the vendor's own installation
};

struct Candidate {
  std::string path;  // absolute
  const char* why;   // "the setting", "already mapped", "beside torch", "ldconfig", "the vendor's folder": for logs
};

// The user's path as it is (open() says what is wrong with it), or existing files that are not this library, each once:
// what the process has mapped under one of the names; beside torch; the dynamic linker's cache; the vendor's folders.
std::vector<Candidate> find(const Search& search);

}  // namespace amalgam::loader
