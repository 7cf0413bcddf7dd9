#pragma once

// What an ELF file says about itself before anybody loads it: names, needs, search paths, symbols, relocations.
//
// By its section headers, which strip keeps; a file without them tells nothing. Any bytes may be given: what lies
// outside the file is as if absent. 64-bit files of this byte order only. Immutable, so any thread.

#include <elf.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace amalgam::loader {

class ElfFile {
 public:
  static Result<ElfFile> open(const std::string& path);
  ElfFile(ElfFile&& other) noexcept;
  ElfFile& operator=(ElfFile&&) = delete;
  ~ElfFile();

  const std::string& soname() const { return soname_; }
  const std::string& rpath() const { return rpath_; }      // DT_RPATH: before LD_LIBRARY_PATH, for what it needs too
  const std::string& runpath() const { return runpath_; }  // DT_RUNPATH: after it, and hides DT_RPATH
  const std::vector<std::string>& needed() const { return needed_; }

  bool defines(std::string_view symbol) const;  // exported, or known to its symbol table
  std::string_view bytes() const { return bytes_; }
  // Calls visit(symbol's name, relocation type) for each relocation of a named symbol, until it returns false.
  void visit_relocations(const std::function<bool(std::string_view, Elf64_Xword)>& visit) const;

 private:
  explicit ElfFile(std::string_view bytes) : bytes_(bytes) {}
  Status read_sections();
  void read_dynamic();
  template <typename T>
  T at(Elf64_Off offset) const;
  std::string_view text(const Elf64_Shdr& strings, Elf64_Off offset) const;
  const Elf64_Shdr& linked(const Elf64_Shdr& section) const;

  std::string_view bytes_;  // mapped
  std::vector<Elf64_Shdr> sections_;
  std::string soname_, rpath_, runpath_;
  std::vector<std::string> needed_;
};

}  // namespace amalgam::loader
