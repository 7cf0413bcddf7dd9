#include "plugins/island/loader/elf_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/unique_fd.h"

namespace amalgam::loader {

Result<ElfFile> ElfFile::open(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat facts {};
  if (!fd.valid() || ::fstat(fd.get(), &facts) != 0) return system_error(path, errno);
  if (!S_ISREG(facts.st_mode) || facts.st_size == 0) return Status(Code::kSystem, path + ": not an ELF file");
  const auto size = static_cast<std::size_t>(facts.st_size);
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (memory == MAP_FAILED) return system_error(path, errno);
  ElfFile file({static_cast<const char*>(memory), size});
  if (Status read = file.read_sections(); !read.ok()) return Status(read.code(), path + ": " + read.message());
  file.read_dynamic();
  return file;
}

ElfFile::ElfFile(ElfFile&& other) noexcept
    : bytes_(std::exchange(other.bytes_, {})),
      sections_(std::move(other.sections_)),
      soname_(std::move(other.soname_)),
      rpath_(std::move(other.rpath_)),
      runpath_(std::move(other.runpath_)),
      needed_(std::move(other.needed_)) {}

ElfFile::~ElfFile() {
  if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

// All zero where the file ends earlier.
template <typename T>
T ElfFile::at(Elf64_Off offset) const {
  T value{};
  if (offset <= bytes_.size() && bytes_.size() - offset >= sizeof(T))
    std::memcpy(&value, bytes_.data() + offset, sizeof(T));
  return value;
}

Status ElfFile::read_sections() {
  const auto header = at<Elf64_Ehdr>(0);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return Status(Code::kSystem, "not an ELF file");
  constexpr unsigned char kOrder = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != kOrder)
    return Status(Code::kSystem, "an ELF file of another kind of machine");
  for (Elf64_Half i = 0; i < header.e_shnum; ++i) {
    auto section = at<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr));
    const bool inside = section.sh_offset <= bytes_.size() && section.sh_size <= bytes_.size() - section.sh_offset;
    if (!inside) section.sh_size = 0;  // of .bss too, which has no bytes in the file
    sections_.push_back(section);
  }
  return {};
}

const Elf64_Shdr& ElfFile::linked(const Elf64_Shdr& section) const {
  static constexpr Elf64_Shdr kNone{};
  return section.sh_link < sections_.size() ? sections_[section.sh_link] : kNone;
}

std::string_view ElfFile::text(const Elf64_Shdr& strings, Elf64_Off offset) const {
  if (offset >= strings.sh_size) return {};
  const std::string_view rest = bytes_.substr(strings.sh_offset + offset, strings.sh_size - offset);
  const std::size_t end = rest.find('\0');
  return end == std::string_view::npos ? std::string_view() : rest.substr(0, end);
}

void ElfFile::read_dynamic() {
  for (const Elf64_Shdr& section : sections_) {
    if (section.sh_type != SHT_DYNAMIC) continue;
    for (Elf64_Xword i = 0; i < section.sh_size / sizeof(Elf64_Dyn); ++i) {
      const auto entry = at<Elf64_Dyn>(section.sh_offset + i * sizeof(Elf64_Dyn));
      if (entry.d_tag == DT_NULL) break;
      const std::string_view value = text(linked(section), entry.d_un.d_val);
      if (entry.d_tag == DT_SONAME) soname_ = value;
      if (entry.d_tag == DT_RPATH) rpath_ = value;
      if (entry.d_tag == DT_RUNPATH) runpath_ = value;
      if (entry.d_tag == DT_NEEDED) needed_.emplace_back(value);
    }
  }
}

bool ElfFile::defines(std::string_view symbol) const {
  for (const Elf64_Shdr& section : sections_) {
    if (section.sh_type != SHT_DYNSYM && section.sh_type != SHT_SYMTAB) continue;
    for (Elf64_Xword i = 0; i < section.sh_size / sizeof(Elf64_Sym); ++i) {
      const auto entry = at<Elf64_Sym>(section.sh_offset + i * sizeof(Elf64_Sym));
      if (entry.st_shndx != SHN_UNDEF && text(linked(section), entry.st_name) == symbol) return true;
    }
  }
  return false;
}

void ElfFile::visit_relocations(const std::function<bool(std::string_view, Elf64_Xword)>& visit) const {
  for (const Elf64_Shdr& section : sections_) {
    const Elf64_Shdr& symbols = linked(section);
    if (section.sh_type != SHT_RELA || symbols.sh_type != SHT_DYNSYM) continue;
    for (Elf64_Xword i = 0; i < section.sh_size / sizeof(Elf64_Rela); ++i) {
      const auto entry = at<Elf64_Rela>(section.sh_offset + i * sizeof(Elf64_Rela));
      const Elf64_Xword index = ELF64_R_SYM(entry.r_info);
      if (index == 0 || index >= symbols.sh_size / sizeof(Elf64_Sym)) continue;
      const auto symbol = at<Elf64_Sym>(symbols.sh_offset + index * sizeof(Elf64_Sym));
      if (!visit(text(linked(symbols), symbol.st_name), ELF64_R_TYPE(entry.r_info))) return;
    }
  }
}

}  // namespace amalgam::loader
