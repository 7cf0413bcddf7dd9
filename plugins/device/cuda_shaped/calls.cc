#include "plugins/device/cuda_shaped/calls.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>

namespace amalgam::cuda_shaped {
namespace {

// A runtime that programs carry inside themselves (CUDA's static one) leaves only the driver mapped: then the file is
// opened for us. Both runtimes work on the device's one primary context.
void* runtime_library(const Table& table) {
  if (void* library = mapped(table.runtimes)) return library;
  for (const char* name : table.runtimes)
    if (void* library = ::dlopen(name, RTLD_LAZY | RTLD_LOCAL)) return library;
  return nullptr;
}

std::string path_of(void* library) {
  const link_map* map = nullptr;
  return ::dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 && map != nullptr ? map->l_name : "";
}

class Finder {
 public:
  Finder(const Table& table, void* runtime, void* driver) : table_(table), runtime_(runtime), driver_(driver) {}

  template <typename Function>
  void runtime(std::string_view name, Function* function) const {
    const auto found = std::find_if(table_.renames.begin(), table_.renames.end(),
                                    [&](const Rename& rename) { return rename.cuda == name; });
    if (found == table_.renames.end()) return symbol(runtime_, (table_.prefix + std::string(name)).c_str(), function);
    if (found->theirs != nullptr) symbol(runtime_, found->theirs, function);
  }

  // The first of `names` that the driver has, or, where there is none, the runtime.
  template <typename Function>
  void driver(std::initializer_list<const char*> names, Function* function) const {
    for (const char* name : names)
      if (name != nullptr && *function == nullptr) symbol(driver_ != nullptr ? driver_ : runtime_, name, function);
  }

 private:
  template <typename Function>
  static void symbol(void* library, const char* name, Function* function) {
    *function = reinterpret_cast<Function>(::dlsym(library, name));
  }

  const Table& table_;
  void* runtime_;
  void* driver_;
};

}  // namespace

void* mapped(std::span<const char* const> names) {
  for (const char* name : names)
    if (void* library = ::dlopen(name, RTLD_LAZY | RTLD_NOLOAD)) return library;
  return nullptr;
}

Calls load(const Table& table) {
  Calls calls;
  void* runtime = runtime_library(table);
  if (runtime == nullptr) {
    calls.missing = table.runtimes.front();
    return calls;
  }
  void* driver = table.driver == nullptr ? nullptr : mapped(std::span(&table.driver, 1));
  const Finder find(table, runtime, driver);
  calls.path = path_of(runtime);
#define X(name, parameters, needed) \
  find.runtime(#name, &calls.name); \
  if ((needed) && calls.name == nullptr && calls.missing.empty()) calls.missing = std::string(table.prefix) + #name;
#include "plugins/device/cuda_shaped/calls.inc"
#undef X
  find.runtime("GetErrorName", &calls.GetErrorName);
  find.driver({table.current_context}, &calls.CurrentContext);
  find.driver({table.primary_state}, &calls.PrimaryState);
  find.driver({table.device_name}, &calls.DeviceGetName);
  find.driver({table.address_range_handle}, &calls.GetHandleForAddressRange);
  find.driver({table.capture_info}, &calls.CaptureInfo);
  find.driver({table.values.write, table.values.write_before}, &calls.WriteValue);
  if (table.values.masked)
    find.driver({table.values.wait}, &calls.WaitValueMasked);
  else
    find.driver({table.values.wait, table.values.wait_before}, &calls.WaitValue);
  return calls;
}

}  // namespace amalgam::cuda_shaped
