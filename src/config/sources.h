#pragma once

// Where values come from: a snapshot of the process environment, then the configuration files, in order of precedence.
//
// The snapshot is the only place of the library that reads the environment. It holds the AMALGAM_ and NCCL_ variables.
// An environment variable that is set but empty hides the files' lines and means the default. Immutable after creation.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config_file.h"

namespace amalgam::config {

using Variables = std::map<std::string, std::string, std::less<>>;

struct Found {
  std::string name;   // the variable that was found
  std::string value;  // may be empty
  std::string where;  // "environment" or a path
};

class Sources {
 public:
  Sources(Variables environment, std::vector<ConfigFile> files);
  static Sources of_process();  // the environment and files as they are now

  std::optional<Found> find(std::string_view name) const;
  std::optional<Found> find_setting(std::string_view field) const;  // AMALGAM_<FIELD>, else NCCL_AMALGAM_<FIELD>
  std::vector<Found> all() const;                                   // every name once, as find() answers
  std::vector<std::string> warnings() const;                        // of the files

 private:
  std::optional<Found> find_in(std::size_t source, std::string_view name) const;

  Variables environment_;
  std::vector<ConfigFile> files_;
};

// The files to read: NCCL_CONF_FILE, which replaces ~/.nccl.conf, then /etc/nccl.conf.
std::vector<std::string> config_paths(std::string_view nccl_conf_file, std::string_view home);

std::string variable_of(std::string_view field);  // "slot_bytes" -> "AMALGAM_SLOT_BYTES"

}  // namespace amalgam::config
