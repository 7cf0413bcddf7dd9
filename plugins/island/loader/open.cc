#include "plugins/island/loader/open.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <link.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "plugins/island/loader/elf_file.h"
#include "plugins/island/loader/environment.h"
#include "plugins/island/loader/identity.h"
#include "plugins/island/loader/mapped.h"
#include "plugins/island/loader/rebind.h"

namespace amalgam::loader {
namespace {

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

bool is_private(const Object& object, const std::vector<Object>& family, const std::vector<Object>& rest) {
  const auto needs = [&](const Object& other) {
    return other.load_address != object.load_address &&
           std::any_of(other.needed.begin(), other.needed.end(),
                       [&](const std::string& name) { return object.is_called(name); });
  };
  return std::any_of(family.begin(), family.end(), needs) && std::none_of(rest.begin(), rest.end(), needs);
}

// The library and its private dependencies: what is needed by these and by nobody else in the process, whoever mapped
// it first, and is not us. Their references are the library's own; those of a library that others need too are not.
// They stay mapped as long as the library.
std::vector<Object> family_of(void* handle) {
  const link_map* library = nullptr;
  if (::dlinfo(handle, RTLD_DI_LINKMAP, &library) != 0) return {};
  std::vector<Object> rest = mapped_objects(), family;
  const auto move_over = [&](std::vector<Object>::iterator object) {
    family.push_back(std::move(*object));
    rest.erase(object);
  };
  const auto next = [&] {
    if (family.empty())
      return std::find_if(rest.begin(), rest.end(), [&](const Object& one) { return one.dynamic == library->l_ld; });
    return std::find_if(rest.begin(), rest.end(),
                        [&](const Object& one) { return is_private(one, family, rest) && !is_own_object(one); });
  };
  for (auto found = next(); found != rest.end(); found = next()) move_over(found);
  return family;
}

struct Slots {
  std::vector<Slot> own, environment;
};

Result<Slots> slots_of(void* handle, std::span<const std::string_view> prefixes) {
  Slots slots;
  for (const Object& object : family_of(handle)) {
    Result<std::vector<Slot>> own = find_slots(object, handle, prefixes);
    if (!own) return own.status();
    Result<std::vector<Slot>> environment = find_slots(object, environment_filter());
    if (!environment) return environment.status();
    slots.own.insert(slots.own.end(), own->begin(), own->end());
    slots.environment.insert(slots.environment.end(), environment->begin(), environment->end());
  }
  return slots;
}

struct Known {
  std::mutex mutex;
  std::map<std::string, Opened> libraries;
  std::map<std::string, bool> mapped_at_first;  // before any thread opened it here

  bool was_mapped(const std::string& path, bool now) {
    const std::lock_guard lock(mutex);
    return mapped_at_first.try_emplace(path, now).first->second;
  }

  const Opened* find(const std::string& path) {
    const std::lock_guard lock(mutex);
    const auto found = libraries.find(path);
    return found != libraries.end() ? &found->second : nullptr;  // entries are never removed or changed
  }
  const Opened& publish(const std::string& path, const Opened& opened) {
    const std::lock_guard lock(mutex);
    return libraries.try_emplace(path, opened).first->second;
  }
};

Known& known() {
  static auto* all = new Known;  // never destroyed
  return *all;
}

// The first relocation in the file that rebinding could not write. Known before the file is opened: what has been
// opened without RTLD_DEEPBIND cannot get it later. A file that cannot be read is dlopen's to complain about.
std::string unknown_relocation(const std::string& path, std::span<const std::string_view> prefixes) {
  std::string found;
  const Result<ElfFile> file = ElfFile::open(path);
  if (!file) return found;
  file->visit_relocations([&](std::string_view name, ElfW(Xword) type) {
    const bool ours = std::any_of(prefixes.begin(), prefixes.end(),
                                  [&](std::string_view prefix) { return name.starts_with(prefix); });
    if (ours && !is_known(type))
      found = fmt::format("{} is referred to by a relocation of unknown type {}", name, type);
    return found.empty();
  });
  return found;
}

bool is_mapped(const std::string& path) {
  void* handle = ::dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
  if (handle != nullptr) ::dlclose(handle);
  return handle != nullptr;
}

int version_of(void* handle) {
  auto* get_version = reinterpret_cast<int (*)(int*)>(::dlsym(handle, "ncclGetVersion"));
  int version = 0;
  return get_version != nullptr && get_version(&version) == 0 ? version : 0;
}

// Rebinds what can be, and lets RTLD_DEEPBIND stand for the rest.
Status bind(Opened* opened, std::span<const std::string_view> prefixes) {
  if (opened->deepbind) prefixes = {};
  Result<Slots> slots = slots_of(opened->handle, prefixes);
  if (!slots)
    return Status(Code::kSystem,
                  fmt::format("{} cannot be kept apart from this library: {}", opened->path, slots.status().message()));
  for (const std::vector<Slot>* some : {&slots->own, &slots->environment})
    if (Status bound = write_slots(*some); !bound.ok())
      return Status(bound.code(), opened->path + ": " + bound.message());
  opened->rebound = slots->own.size();
  opened->filtered = slots->environment.size();
  return {};
}

Result<Opened> open_new(const Candidate& candidate, const std::string& key,
                        std::span<const std::string_view> prefixes) {
  const std::string unknown = unknown_relocation(candidate.path, prefixes);
  Opened opened;
  opened.path = candidate.path;
  opened.why = candidate.why;
  opened.was_mapped = known().was_mapped(key, is_mapped(candidate.path));
  opened.deepbind = !unknown.empty();
  if (opened.deepbind && (opened.was_mapped || malloc_is_interposed()))
    return Status(Code::kSystem, fmt::format("{} cannot be kept apart from this library: {}, and RTLD_DEEPBIND {}",
                                             opened.path, unknown,
                                             opened.was_mapped ? "has no effect on a library that is mapped"
                                                               : "fails where malloc is interposed"));
  opened.handle = ::dlopen(opened.path.c_str(), RTLD_LAZY | RTLD_LOCAL | (opened.deepbind ? RTLD_DEEPBIND : 0));
  if (opened.handle == nullptr) return Status(Code::kSystem, last_error());
  if (is_own_library(opened.handle)) {
    ::dlclose(opened.handle);
    return Status(Code::kSystem, fmt::format("{} is Amalgam itself, not a vendor's library", opened.path));
  }
  AMALGAM_TRY(bind(&opened, prefixes));
  opened.version = version_of(opened.handle);
  return opened;
}

}  // namespace

std::string Opened::describe() const {
  return fmt::format("{}, {}{}", why,
                     deepbind ? "kept apart by RTLD_DEEPBIND" : fmt::format("{} references bound back", rebound),
                     was_mapped && why != "already mapped" ? ", was mapped before" : "");
}

// What is known is answered before anything that takes the dynamic linker's lock.
Result<Opened> open(const Candidate& candidate, std::span<const std::string_view> prefixes) {
  const std::string& path = candidate.path;
  if (!path.starts_with('/'))
    return Status(Code::kInvalidArgument, path + ": a vendor's library is opened by its absolute path only");
  std::error_code error;  // a path that leads nowhere stands for itself: dlopen says what is wrong with it
  const std::filesystem::path real = std::filesystem::canonical(path, error);
  const std::string key = error ? path : real.string();
  if (const Opened* opened = known().find(key)) return *opened;
  if (is_own_file(path)) return Status(Code::kSystem, path + " is Amalgam itself, not a vendor's library");
  Result<Opened> opened = open_new(candidate, key, prefixes);
  if (!opened) return opened;
  return known().publish(key, *opened);
}

}  // namespace amalgam::loader
