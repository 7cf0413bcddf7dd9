#pragma once

#include <string>

namespace amalgam {

std::string library_version();  // "0.1.0", of the build
std::string library_file();     // that this code was loaded from; empty when the dynamic linker does not say

}  // namespace amalgam
