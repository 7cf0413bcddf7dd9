#include "comm/stack.h"

#include <string_view>

#include "config/settings.h"

namespace amalgam::comm {
namespace {

// One file for every vendor, or "vendor=file" pairs: one environment serves the hosts of all vendors.
std::string file_for(std::string_view vendor, std::string_view setting) {
  if (setting.find('=') == setting.npos) return std::string(setting);
  while (!setting.empty()) {
    const std::string_view pair = setting.substr(0, setting.find(','));
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) == vendor && equals != pair.npos) return std::string(pair.substr(equals + 1));
    setting.remove_prefix(std::min(pair.size() + 1, setting.size()));
  }
  return {};
}

}  // namespace

Result<Stack> find_stack(int device) {
  Stack stack;
  stack.device = device == kCurrentDevice ? 0 : device;
  stack.facts.label = config::settings().islands;
  if (config::settings().device == "host") return stack;
  Result<device::Active> active = device::active_runtime();
  if (!active) return active.status();
  if (active->runtime == nullptr) return stack;
  stack.runtime = active->runtime;
  if (device == kCurrentDevice) stack.device = active->device;
  stack.facts.vendor = stack.runtime->vendor();
  stack.facts.runtime_version = stack.runtime->version();
  if (auto model = stack.runtime->model(stack.device)) stack.facts.model = model.take();
  if (auto pci = stack.runtime->pci_bus_id(stack.device)) stack.facts.pci = pci.take();
  return stack;
}

void find_library(Stack& stack) {
  if (stack.runtime == nullptr) return;
  auto library = island::library_of(*stack.runtime, file_for(stack.facts.vendor, config::settings().vendor_library));
  if (!library) {
    stack.facts.problem = library.status().message();
    return;
  }
  stack.library = *library;
  stack.facts.library = stack.library->name();
  stack.facts.library_version = stack.library->version();
  stack.facts.library_from = stack.library->describe();
}

void write(Writer& out, const StackFacts& facts) {
  out.text(facts.vendor).text(facts.model).text(facts.pci).integer(facts.runtime_version).text(facts.library);
  out.integer(facts.library_version).text(facts.library_from).text(facts.label).text(facts.problem);
}

StackFacts read_stack(Reader& in) {
  StackFacts facts;
  facts.vendor = in.text();
  facts.model = in.text();
  facts.pci = in.text();
  facts.runtime_version = in.integer<std::int32_t>();
  facts.library = in.text();
  facts.library_version = in.integer<std::int32_t>();
  facts.library_from = in.text();
  facts.label = in.text();
  facts.problem = in.text();
  return facts;
}

}  // namespace amalgam::comm
