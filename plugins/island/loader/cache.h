#pragma once

// The dynamic linker's cache of libraries, as ldconfig writes it.

#include <string>
#include <string_view>
#include <vector>

namespace amalgam::loader {

// Paths of 64-bit libraries of that SONAME in the cache file's text, in its order. A malformed cache holds none.
std::vector<std::string> find_in_cache(std::string_view cache, std::string_view soname);

}  // namespace amalgam::loader
