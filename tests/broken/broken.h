#pragma once

// What broken variants call: functions of the program's runtime, by name.

#include <dlfcn.h>

namespace broken {

template <typename... Arguments>
int call(const char* name, Arguments... arguments) {
  return reinterpret_cast<int (*)(Arguments...)>(::dlsym(RTLD_DEFAULT, name))(arguments...);
}

}  // namespace broken
