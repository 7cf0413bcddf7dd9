#pragma once

#include <string>

#include "base/island.h"

namespace amalgam::comm {

// ncclConfig_t of any version, parsed (src/abi/config_parse.h).
struct CommConfig {
  bool blocking = true;
  bool blocking_set = false;  // false: a split or shrink inherits it from its parent
  std::string name;           // commName, copied
  island::Config asked;       // as the caller set it, for a vendor's library; no meaning on CPU ranks
};

}  // namespace amalgam::comm
