#pragma once

#include <string>

namespace amalgam::comm {

// ncclConfig_t of any version, parsed (src/abi/config_parse.h): only what we act on or report.
struct CommConfig {
  bool blocking = true;
  bool blocking_set = false;  // false: a split or shrink inherits it from its parent
  std::string name;           // commName, copied
  std::string net_name;       // netName, copied; named in a warning when we have no such network
  int min_ctas = 0, max_ctas = 0, cga_cluster_size = 0, traffic_class = 0,
      cta_policy = 0;  // accepted; no meaning on CPU ranks
};

}  // namespace amalgam::comm
