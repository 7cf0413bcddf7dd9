#include "config/settings.h"

#include "config/loader.h"
#include "config/sources.h"

namespace amalgam::config {
namespace {

struct Process {
  Sources sources = Sources::of_process();
  Loaded loaded = load(sources);
};

const Process& process() {
  static const Process* const instance = new Process();  // never destroyed: readers may outlive static destruction
  return *instance;
}

}  // namespace

const Settings& settings() { return process().loaded.settings; }

std::vector<std::string> warnings() { return process().loaded.warnings; }

std::string dump() { return dump(process().loaded); }

std::string agreed_text() { return agreed_text(process().loaded.settings); }

std::string lookup(std::string_view name) {
  const auto found = process().sources.find(name);
  return found ? found->value : std::string();
}

}  // namespace amalgam::config
