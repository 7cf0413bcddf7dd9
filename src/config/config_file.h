#pragma once

// Configuration files in NCCL's form: KEY=VALUE lines, a line that starts with '#' is a comment, nothing is trimmed.
//
// The first line that names a key wins, as NCCL applies each line without overwriting. Lines without '=' or with an
// empty key are reported, not obeyed. A file that does not exist is an empty file; one that cannot be read is reported.

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace amalgam::config {

struct ConfigFile {
  std::string path;
  std::map<std::string, std::string, std::less<>> values;
  std::vector<std::string> warnings;
};

ConfigFile parse_config(std::string path, std::string_view text);
ConfigFile read_config(const std::string& path);

}  // namespace amalgam::config
