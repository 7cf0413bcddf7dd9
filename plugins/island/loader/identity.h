#pragma once

// Whether a library is this one: under whatever name it was preloaded, linked or copied.

#include <string>

#include "plugins/island/loader/mapped.h"

namespace amalgam::loader {

bool is_own_file(const std::string& path);  // the same file on disk as the one this code was loaded from
bool is_own_object(const Object& object);   // mapped: likewise
bool is_own_library(void* library);         // opened: has the marker that no other has (amalgam/amalgam.h)

}  // namespace amalgam::loader
