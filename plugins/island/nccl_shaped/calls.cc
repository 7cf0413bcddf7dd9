#include "plugins/island/nccl_shaped/calls.h"

#include <dlfcn.h>

#include <string>

namespace amalgam::nccl_shaped {
namespace {

template <typename Function>
void find(void* handle, const char* name, bool needed, Function*& function, std::string& missing) {
  const std::string full = std::string("nccl") + name;
  function = reinterpret_cast<Function*>(::dlsym(handle, full.c_str()));
  if (function == nullptr && needed && missing.empty()) missing = full;
}

}  // namespace

Calls load(void* handle) {
  Calls calls;
#define X(name, parameters, needed) find(handle, #name, needed, calls.name, calls.missing);
#include "plugins/island/nccl_shaped/calls.inc"
#undef X
  find(handle, "GetErrorString", false, calls.GetErrorString, calls.missing);
  find(handle, "GetLastError", false, calls.GetLastError, calls.missing);
  // RCCL's older spelling of the same function.
  if (calls.AlltoAll == nullptr) find(handle, "AllToAll", false, calls.AlltoAll, calls.missing);
  return calls;
}

}  // namespace amalgam::nccl_shaped
