#include "plugins/island/loader/identity.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/stat.h>

namespace amalgam::loader {

// The file of this code, and the one that the process's names lead to: another copy of it may have come first.
bool is_own_file(const std::string& path) {
  struct stat other {};
  if (::stat(path.c_str(), &other) != 0) return false;
  for (const void* inside : {reinterpret_cast<const void*>(&is_own_file),
                             static_cast<const void*>(::dlsym(RTLD_DEFAULT, "amalgam_marker"))}) {
    Dl_info own{};
    struct stat mine {};
    if (inside != nullptr && ::dladdr(inside, &own) != 0 && ::stat(own.dli_fname, &mine) == 0 &&
        mine.st_dev == other.st_dev && mine.st_ino == other.st_ino)
      return true;
  }
  return false;
}

// The handle's scope is the library and what it needs. A vendor's plug-in may need a libnccl.so.2 and be given ours: so
// the marker counts only where the library's NCCL is.
bool is_own_library(void* library) {
  Dl_info marker{}, nccl{};
  return ::dladdr(::dlsym(library, "amalgam_marker"), &marker) != 0 &&
         ::dladdr(::dlsym(library, "ncclGetVersion"), &nccl) != 0 && marker.dli_fbase == nccl.dli_fbase;
}

bool is_own_object(const Object& object) {
  void* handle = ::dlopen(object.path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  Dl_info marker{}, dynamic{};
  const bool own = handle != nullptr && ::dladdr(::dlsym(handle, "amalgam_marker"), &marker) != 0 &&
                   ::dladdr(object.dynamic, &dynamic) != 0 && marker.dli_fbase == dynamic.dli_fbase;
  if (handle != nullptr) ::dlclose(handle);
  return own;
}

}  // namespace amalgam::loader
