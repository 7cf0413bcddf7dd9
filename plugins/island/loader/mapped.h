#pragma once

// What the process has mapped, as the dynamic linker's lists say. A picture of one moment; any thread.

#include <link.h>

#include <string>
#include <vector>

namespace amalgam::loader {

struct Object {
  std::string path;  // empty: the program
  ElfW(Addr) load_address = 0;
  const ElfW(Dyn) * dynamic = nullptr;
  std::string soname;
  std::vector<std::string> needed;

  bool is_called(const std::string& name) const;  // would satisfy a DT_NEEDED of that name
};

std::vector<Object> mapped_objects();     // in the dynamic linker's order
std::vector<std::string> mapped_files();  // absolute paths of the libraries among them

// glibc has added the load address to the addresses in a dynamic section; other dynamic linkers, and the kernel's own
// object, leave them as in the file.
inline const void* address_in(ElfW(Addr) load_address, ElfW(Addr) value) {
  return reinterpret_cast<const void*>(value < load_address ? value + load_address : value);
}

}  // namespace amalgam::loader
