// One process of the matrix: calls NCCL as programs do, opens a vendor's library as ours does, and compares who
// answered.
//
// usage: client WAY OURS VENDOR FRAMEWORK
// WAY        start: ours is there since the start; local, global: it is opened by path as ctypes does
// OURS       version that ours answers
// VENDOR     file of the vendor's library; "absent:FILE" when it is expected to be missing
// FRAMEWORK  library that calls NCCL; "-": the program itself does
// MATRIX_OURS names our file. MATRIX_FIRST names files that are opened by path and RTLD_GLOBAL before all else.

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "plugins/island/loader/open.h"

#ifdef LINKED
extern "C" int ncclGetVersion(int* version);
#endif

namespace {

using amalgam::loader::Opened;

int failures = 0;

void expect(bool good, const std::string& text) {
  if (good) return;
  ++failures;
  std::fputs((text + "\n").c_str(), stdout);
}

int ask(void* library, const char* function) {
  auto* call = reinterpret_cast<int (*)(int*)>(::dlsym(library, function));
  int version = -1;
  if (call != nullptr) call(&version);
  return version;
}

int version_for_the_program([[maybe_unused]] const std::string& framework) {
#ifdef LINKED
  int version = -1;
  return ncclGetVersion(&version) == 0 ? version : -1;
#else
  void* library = ::dlopen(framework.c_str(), RTLD_LAZY | RTLD_LOCAL);
  return library != nullptr ? ask(library, "framework_version") : -1;
#endif
}

// Of the stand-in of ours; the true one has no counter, but a version of its own.
int entered(void* ours) {
  const auto* count = static_cast<const int*>(::dlsym(ours, "ours_entered"));
  return count != nullptr ? *count : 0;
}

void check_the_vendors(const Opened& opened, void* ours) {
  constexpr std::array kCalls = {"ncclGetVersion", "ncclGetVersionByTable", "ncclGetVersionByPointer",
                                 "ncclGetVersionByHelper"};
  const int before = entered(ours);
  for (const char* call : kCalls) {
    const int version = ask(opened.handle, call);
    expect(version == VENDOR_VERSION, fmt::format("the vendor's {} told {}", call, version));
  }
  expect(entered(ours) == before, fmt::format("{} calls of the vendor's entered ours", entered(ours) - before));
  expect(opened.version == VENDOR_VERSION, fmt::format("version {}", opened.version));
}

void check_opening(std::string vendor, void* ours) {
  constexpr std::string_view kPrefixes[] = {"nccl", "pnccl"};
  const bool absent = vendor.starts_with("absent:");
  if (absent) vendor.erase(0, std::string_view("absent:").size());
  const amalgam::Result<Opened> opened = amalgam::loader::open({vendor, "the matrix"}, kPrefixes);
  if (absent)
    return expect(!opened.ok() && opened.status().message().find(vendor) != std::string::npos, "opened what is absent");
  if (!opened) return expect(false, opened.status().message());
  check_the_vendors(*opened, ours);
}

// Whether a vendor's library that the program has mapped already mixes the two: else the rest proves nothing.
void open_first(const char* file) {
  void* library = ::dlopen(file, RTLD_LAZY | RTLD_GLOBAL);
  if (library == nullptr) return expect(false, ::dlerror());
  expect(ask(library, "ncclGetVersionByTable") != VENDOR_VERSION, "it did not need to be repaired");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const std::string way = argv[1], framework = argv[4];
  void* ours = RTLD_DEFAULT;
  if (way != "start")
    ours = ::dlopen(std::getenv("MATRIX_OURS"), RTLD_LAZY | (way == "global" ? RTLD_GLOBAL : RTLD_LOCAL));
  if (way != "start" && ours == nullptr) return std::fputs(::dlerror(), stdout), 2;
  if (const char* first = std::getenv("MATRIX_FIRST")) open_first(first);
  const int version = version_for_the_program(framework);
  expect(version == std::atoi(argv[2]), fmt::format("the program was told {}", version));
  check_opening(argv[3], ours);
  expect(version_for_the_program(framework) == version, "the program is told another version now");
  return failures == 0 ? 0 : 1;
}
