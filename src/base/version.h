#pragma once

#include <string>

namespace amalgam {

std::string library_version();  // "0.1.0", of the build

}  // namespace amalgam
