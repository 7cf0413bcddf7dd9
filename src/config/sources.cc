#include "config/sources.h"

#include <unistd.h>

#include <cctype>
#include <cstdlib>
#include <utility>

namespace amalgam::config {
namespace {

Variables snapshot_environment() {
  Variables variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    if (!text.starts_with("AMALGAM_") && !text.starts_with("NCCL_")) continue;
    variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

std::string_view value_or_empty(const Variables& variables, std::string_view name) {
  const auto found = variables.find(name);
  return found == variables.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace

std::string variable_of(std::string_view field) {
  std::string name = "AMALGAM_";
  for (char c : field) name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

std::vector<std::string> config_paths(std::string_view nccl_conf_file, std::string_view home) {
  std::vector<std::string> paths;
  if (!nccl_conf_file.empty()) {
    paths.emplace_back(nccl_conf_file);
  } else if (!home.empty()) {
    paths.push_back(std::string(home) + "/.nccl.conf");
  }
  paths.emplace_back("/etc/nccl.conf");
  return paths;
}

Sources::Sources(Variables environment, std::vector<ConfigFile> files)
    : environment_(std::move(environment)), files_(std::move(files)) {}

Sources Sources::of_process() {
  Variables environment = snapshot_environment();
  const char* home = std::getenv("HOME");
  std::vector<ConfigFile> files;
  for (const std::string& path :
       config_paths(value_or_empty(environment, "NCCL_CONF_FILE"), home == nullptr ? "" : home))
    files.push_back(read_config(path));
  return Sources(std::move(environment), std::move(files));
}

std::optional<Found> Sources::find_in(std::size_t source, std::string_view name) const {
  const Variables& values = source == 0 ? environment_ : files_[source - 1].values;
  const auto found = values.find(name);
  if (found == values.end()) return std::nullopt;
  return Found{found->first, found->second, source == 0 ? "environment" : files_[source - 1].path};
}

std::optional<Found> Sources::find(std::string_view name) const {
  for (std::size_t source = 0; source <= files_.size(); ++source)
    if (auto found = find_in(source, name)) return found;
  return std::nullopt;
}

std::optional<Found> Sources::find_setting(std::string_view field) const {
  const std::string ours = variable_of(field);
  for (std::size_t source = 0; source <= files_.size(); ++source) {
    if (auto found = find_in(source, ours)) return found;
    if (auto found = find_in(source, "NCCL_" + ours)) return found;
  }
  return std::nullopt;
}

std::vector<Found> Sources::all() const {
  std::map<std::string, Found> names;
  for (const auto& [name, value] : environment_) names.emplace(name, Found{name, value, "environment"});
  for (const ConfigFile& file : files_)
    for (const auto& [name, value] : file.values) names.emplace(name, Found{name, value, file.path});
  std::vector<Found> result;
  result.reserve(names.size());
  for (auto& [name, found] : names) result.push_back(std::move(found));
  return result;
}

std::vector<std::string> Sources::warnings() const {
  std::vector<std::string> result;
  for (const ConfigFile& file : files_) result.insert(result.end(), file.warnings.begin(), file.warnings.end());
  return result;
}

}  // namespace amalgam::config
