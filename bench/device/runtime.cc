#include "runtime.h"

#include <dlfcn.h>

#include <stdexcept>
#include <string_view>

namespace bench {
namespace {

constexpr const char* kUsual[] = {"libcudart.so.13", "libcudart.so.12", "libcudart.so.11.0"};
constexpr const char* kDriver = "libcuda.so.1";

void* open_one(const std::string& file) {
  if (!file.empty()) return ::dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
  for (const char* usual : kUsual)
    if (void* library = ::dlopen(usual, RTLD_NOW | RTLD_GLOBAL)) return library;
  return nullptr;
}

// HIP calls two of them otherwise.
std::string name_of(const Runtime& runtime, std::string_view name) {
  if (runtime.prefix == "hip" && name == "HostAlloc") name = "HostMalloc";
  if (runtime.prefix == "hip" && name == "FreeHost") name = "HostFree";
  return runtime.prefix + std::string(name);
}

template <typename Function>
void find(void* library, const std::string& name, bool required, Function*& function) {
  function = reinterpret_cast<Function*>(::dlsym(library, name.c_str()));
  if (function == nullptr && required) throw std::runtime_error("the device runtime has no " + name);
}

void find_driver(void* library, Runtime& runtime) {
  if (runtime.prefix == "hip") {
    find(library, "hipStreamWriteValue64", false, runtime.WriteValue64);
    return find(library, "hipDeviceGetName", false, runtime.DeviceGetName);
  }
  void* driver = ::dlopen(kDriver, RTLD_NOW | RTLD_GLOBAL);
  if (driver == nullptr) return;
  find(driver, "cuStreamWriteValue64_v2", false, runtime.WriteValue64);
  find(driver, "cuDeviceGetName", false, runtime.DeviceGetName);
}

}  // namespace

Runtime open_runtime(const std::string& file) {
  void* library = open_one(file);
  if (library == nullptr) throw std::runtime_error(std::string("no device runtime: ") + ::dlerror());
  Runtime runtime;
  runtime.file = file.empty() ? "the usual names" : file;
  runtime.prefix = ::dlsym(library, "hipSetDevice") != nullptr ? "hip" : "cuda";
#define REQUIRED(name, parameters) find(library, name_of(runtime, #name), true, runtime.name);
#define OPTIONAL(name, parameters) find(library, name_of(runtime, #name), false, runtime.name);
#include "runtime.inc"
#undef OPTIONAL
#undef REQUIRED
  find_driver(library, runtime);
  return runtime;
}

void check(const Runtime& runtime, int error, const char* call) {
  if (error == 0) return;
  (void)runtime.GetLastError();  // it is told here; nobody else shall find it
  throw std::runtime_error(name_of(runtime, call) + ": error " + std::to_string(error));
}

}  // namespace bench
