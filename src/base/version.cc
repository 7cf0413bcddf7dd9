#include "base/version.h"

namespace amalgam {

std::string library_version() { return AMALGAM_VERSION; }

}  // namespace amalgam
