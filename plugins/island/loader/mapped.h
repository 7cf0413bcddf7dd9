#pragma once

// What the process has mapped.

#include <string>
#include <vector>

namespace amalgam::loader {

std::vector<std::string> mapped_files();  // absolute paths of the libraries, in the dynamic linker's order

}  // namespace amalgam::loader
