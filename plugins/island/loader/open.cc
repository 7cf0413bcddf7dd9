#include "plugins/island/loader/open.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <link.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <vector>

#include "plugins/island/loader/identity.h"
#include "plugins/island/loader/mapped.h"
#include "plugins/island/loader/rebind.h"

namespace amalgam::loader {
namespace {

const link_map* map_of(void* handle) {
  const link_map* map = nullptr;
  return ::dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 ? map : nullptr;
}

std::string last_error() {
  const char* text = ::dlerror();
  return text != nullptr ? text : "no reason given";
}

bool malloc_is_interposed() {
  Dl_info allocator{}, library{};
  void* malloc_in_scope = ::dlsym(RTLD_DEFAULT, "malloc");
  return malloc_in_scope == nullptr || ::dladdr(malloc_in_scope, &allocator) == 0 ||
         ::dladdr(reinterpret_cast<void*>(&::gnu_get_libc_version), &library) == 0 ||
         allocator.dli_fbase != library.dli_fbase;
}

// The library and, of what it needs, all that came with it: nobody else uses those, so their references are its own.
// Each stays referenced, so that none goes away meanwhile.
std::vector<const link_map*> private_objects(const link_map* library, const std::vector<std::string>& before) {
  std::vector<std::string> fresh;
  for (const std::string& path : mapped_files())
    if (std::find(before.begin(), before.end(), path) == before.end()) fresh.push_back(path);
  std::vector<const link_map*> found{library};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::vector<std::string_view> needed = needed_by(*found[i]);
    for (const std::string& path : fresh) {
      const std::string_view file = std::string_view(path).substr(path.rfind('/') + 1);
      if (std::find(needed.begin(), needed.end(), file) == needed.end()) continue;
      void* handle = ::dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
      const link_map* object = handle != nullptr ? map_of(handle) : nullptr;
      if (object != nullptr && std::find(found.begin(), found.end(), object) == found.end()) found.push_back(object);
    }
  }
  return found;
}

Result<std::vector<Slot>> slots_of(void* handle, const std::vector<std::string>& before,
                                   std::span<const std::string_view> prefixes) {
  std::vector<Slot> slots;
  for (const link_map* object : private_objects(map_of(handle), before)) {
    Result<std::vector<Slot>> found = find_slots(*object, handle, prefixes);
    if (!found) return found.status();
    slots.insert(slots.end(), found->begin(), found->end());
  }
  return slots;
}

Result<Opened> open_bound(const std::string& path, int extra) {
  Opened opened;
  opened.path = path;
  if (void* mapped = ::dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD)) {
    opened.was_mapped = true;
    ::dlclose(mapped);
  }
  opened.handle = ::dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL | extra);
  if (opened.handle == nullptr) return Status(Code::kSystem, last_error());
  if (!is_own_library(opened.handle)) return opened;
  ::dlclose(opened.handle);
  return Status(Code::kSystem, fmt::format("{} is Amalgam itself, not a vendor's library", path));
}

Result<Opened> open_new(const std::string& path, std::span<const std::string_view> prefixes) {
  const std::vector<std::string> before = mapped_files();
  Result<Opened> opened = open_bound(path, 0);
  if (!opened) return opened;
  Result<std::vector<Slot>> slots = slots_of(opened->handle, before, prefixes);
  if (slots) {
    if (Status bound = write_slots(*slots); !bound.ok()) return Status(bound.code(), path + ": " + bound.message());
    opened->rebound = slots->size();
    return opened;
  }
  if (opened->was_mapped || malloc_is_interposed())
    return Status(Code::kSystem, fmt::format("{} cannot be kept apart from this library: {}, and RTLD_DEEPBIND {}",
                                             path, slots.status().message(),
                                             opened->was_mapped ? "has no effect on a library that is mapped"
                                                                : "fails where malloc is interposed"));
  ::dlclose(opened->handle);
  opened = open_bound(path, RTLD_DEEPBIND);
  if (!opened) return opened;
  if (opened->was_mapped)  // it could not be unloaded, and RTLD_DEEPBIND has no effect on a second open
    return Status(Code::kSystem, fmt::format("{} cannot be kept apart from this library: {}, and it stays mapped", path,
                                             slots.status().message()));
  opened->deepbind = true;
  return opened;
}

struct Known {
  std::mutex mutex;
  std::map<std::string, Opened> libraries;
};

Known& known() {
  static auto* all = new Known;  // never destroyed
  return *all;
}

}  // namespace

Result<Opened> open(const std::string& path, std::span<const std::string_view> prefixes,
                    const std::function<void()>& before) {
  if (!path.starts_with('/'))
    return Status(Code::kInvalidArgument, path + ": a vendor's library is opened by its absolute path only");
  if (is_own_file(path)) return Status(Code::kSystem, path + " is Amalgam itself, not a vendor's library");
  std::error_code error;  // a path that leads nowhere stands for itself: dlopen says what is wrong with it
  const std::filesystem::path real = std::filesystem::canonical(path, error);
  const std::string key = error ? path : real.string();
  const std::lock_guard lock(known().mutex);
  if (const auto found = known().libraries.find(key); found != known().libraries.end()) return found->second;
  if (before) before();
  Result<Opened> opened = open_new(path, prefixes);
  if (opened) known().libraries.emplace(key, *opened);
  return opened;
}

}  // namespace amalgam::loader
