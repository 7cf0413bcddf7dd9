#include "base/version.h"

#include <dlfcn.h>

namespace amalgam {

std::string library_version() { return AMALGAM_VERSION; }

std::string library_file() {
  Dl_info own{};
  return ::dladdr(reinterpret_cast<const void*>(&library_file), &own) != 0 ? own.dli_fname : "";
}

}  // namespace amalgam
