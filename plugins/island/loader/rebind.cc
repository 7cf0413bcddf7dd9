#include "plugins/island/loader/rebind.h"

#include <dlfcn.h>
#include <elf.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <functional>
#include <mutex>

namespace amalgam::loader {
namespace {

#if defined(__x86_64__)
constexpr ElfW(Xword) kJumpSlot = R_X86_64_JUMP_SLOT, kGlobal = R_X86_64_GLOB_DAT, kAbsolute = R_X86_64_64;
constexpr bool kAddends = false;  // of jump slots and global data; absolute ones always have them
#elif defined(__aarch64__)
constexpr ElfW(Xword) kJumpSlot = R_AARCH64_JUMP_SLOT, kGlobal = R_AARCH64_GLOB_DAT, kAbsolute = R_AARCH64_ABS64;
constexpr bool kAddends = true;
#endif

// What the dynamic section tells about relocations.
struct Tables {
  const ElfW(Sym) * symbols = nullptr;
  const char* strings = nullptr;
  std::span<const ElfW(Rela)> plt, other;
};

Result<Tables> read_tables(const Object& object) {
  Tables tables;
  if (object.dynamic == nullptr) return Status(Code::kSystem, "it has no dynamic section");
  const auto address = [&](ElfW(Addr) value) { return address_in(object.load_address, value); };
  const void *plt = nullptr, *other = nullptr;
  std::size_t plt_bytes = 0, other_bytes = 0;
  for (const ElfW(Dyn)* entry = object.dynamic; entry->d_tag != DT_NULL; ++entry) {
    switch (entry->d_tag) {
      case DT_SYMTAB: tables.symbols = static_cast<const ElfW(Sym)*>(address(entry->d_un.d_ptr)); break;
      case DT_STRTAB: tables.strings = static_cast<const char*>(address(entry->d_un.d_ptr)); break;
      case DT_JMPREL: plt = address(entry->d_un.d_ptr); break;
      case DT_PLTRELSZ: plt_bytes = entry->d_un.d_val; break;
      case DT_RELA: other = address(entry->d_un.d_ptr); break;
      case DT_RELASZ: other_bytes = entry->d_un.d_val; break;
      case DT_PLTREL:
        if (entry->d_un.d_val != DT_RELA) return Status(Code::kSystem, "its relocations are not DT_RELA");
        break;
      case DT_REL: return Status(Code::kSystem, "its relocations are not DT_RELA");
      default: break;
    }
  }
  if (tables.symbols == nullptr || tables.strings == nullptr)
    return Status(Code::kSystem, "it has no dynamic symbol table");
  if (plt != nullptr) tables.plt = {static_cast<const ElfW(Rela)*>(plt), plt_bytes / sizeof(ElfW(Rela))};
  if (other != nullptr) tables.other = {static_cast<const ElfW(Rela)*>(other), other_bytes / sizeof(ElfW(Rela))};
  return tables;
}

// The part that the dynamic linker made read-only after it had relocated: whole pages within PT_GNU_RELRO.
struct Protected {
  ElfW(Addr) load_address;
  ElfW(Addr) begin = 0, end = 0;
};

int look_for_relro(dl_phdr_info* info, std::size_t, void* argument) {
  auto* found = static_cast<Protected*>(argument);
  if (info->dlpi_addr != found->load_address) return 0;
  const auto page = static_cast<ElfW(Addr)>(sysconf(_SC_PAGESIZE));
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_GNU_RELRO) continue;
    found->begin = (info->dlpi_addr + header.p_vaddr) / page * page;
    found->end = (info->dlpi_addr + header.p_vaddr + header.p_memsz) / page * page;
  }
  return 1;
}

bool has_prefix(std::string_view name, std::span<const std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

Status write(const Slot& slot) {
  const auto page = static_cast<ElfW(Addr)>(sysconf(_SC_PAGESIZE));
  void* const begin = reinterpret_cast<void*>(reinterpret_cast<ElfW(Addr)>(slot.address) / page * page);
  if (slot.read_only && mprotect(begin, page, PROT_READ | PROT_WRITE) != 0)
    return system_error(fmt::format("making the slot of {} writable", slot.name), errno);
  std::atomic_ref(*slot.address).store(slot.value, std::memory_order_release);
  if (slot.read_only && mprotect(begin, page, PROT_READ) != 0)
    return system_error(fmt::format("protecting the slot of {} again", slot.name), errno);
  return {};
}

// Which address a reference of that name should hold; null: not our business.
using Target = std::function<Result<void*>(const char* name)>;

Result<std::vector<Slot>> find_slots_of(const Object& object, const Target& target) {
  Result<Tables> tables = read_tables(object);
  if (!tables) return tables.status();
  Protected relro{object.load_address};
  dl_iterate_phdr(look_for_relro, &relro);
  std::vector<Slot> slots;
  for (std::span<const ElfW(Rela)> table : {tables->plt, tables->other}) {
    for (const ElfW(Rela) & relocation : table) {
      const ElfW(Xword) type = ELF64_R_TYPE(relocation.r_info);
      const char* name = tables->strings + tables->symbols[ELF64_R_SYM(relocation.r_info)].st_name;
      const Result<void*> function = target(name);
      if (!function) return function.status();
      if (*function == nullptr) continue;
      if (!is_known(type))
        return Status(Code::kSystem, fmt::format("{} is referred to by a relocation of unknown type {}", name, type));
      const ElfW(Addr) at = object.load_address + relocation.r_offset;
      const ElfW(Addr) addend = type == kAbsolute || kAddends ? static_cast<ElfW(Addr)>(relocation.r_addend) : 0;
      slots.push_back({reinterpret_cast<ElfW(Addr)*>(at), reinterpret_cast<ElfW(Addr)>(*function) + addend, name,
                       at >= relro.begin && at < relro.end});
    }
  }
  return slots;
}

}  // namespace

bool is_known(ElfW(Xword) type) { return type == kJumpSlot || type == kGlobal || type == kAbsolute; }

Result<std::vector<Slot>> find_slots(const Object& object, void* library, std::span<const std::string_view> prefixes) {
  return find_slots_of(object, [&](const char* name) -> Result<void*> {
    if (!has_prefix(name, prefixes)) return nullptr;
    // By the handle, so searched in the library and what it needs, never in the process's common scope.
    void* own = ::dlsym(library, name);
    if (own == nullptr && ::dlsym(RTLD_DEFAULT, name) != nullptr)
      return Status(Code::kSystem, fmt::format("it calls {} but does not have it", name));
    return own;
  });
}

Result<std::vector<Slot>> find_slots(const Object& object, std::span<const Replacement> replacements) {
  return find_slots_of(object, [&](const char* name) -> Result<void*> {
    const auto found = std::find_if(replacements.begin(), replacements.end(),
                                    [&](const Replacement& replacement) { return replacement.name == name; });
    return found != replacements.end() ? found->function : nullptr;
  });
}

// Nothing is called under the lock that could wait for the dynamic linker's.
Status write_slots(std::span<const Slot> slots) {
  static constinit std::mutex writing;
  const std::lock_guard lock(writing);
  for (const Slot& slot : slots)
    if (*slot.address != slot.value) AMALGAM_TRY(write(slot));
  if (const std::size_t bound = count_bound(slots); bound != slots.size())
    return Status(Code::kInternal, fmt::format("only {} of {} references were bound", bound, slots.size()));
  return {};
}

std::size_t count_bound(std::span<const Slot> slots) {
  return static_cast<std::size_t>(
      std::count_if(slots.begin(), slots.end(), [](const Slot& slot) { return *slot.address == slot.value; }));
}

}  // namespace amalgam::loader
