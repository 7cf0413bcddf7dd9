#pragma once

// Binds a loaded library's references to its own exported functions back to itself.
//
// Our library has the vendor's names. So a vendor's library that calls its exported functions through its procedure
// linkage table (NCCL 2.28.9 has 19 such calls) would reach ours, with its handles. The ELF relocations that caused it
// are still in memory: each that names one of the given prefixes is written again, with the library's own address.
//
// A reference to such a name that is of another kind, or that only the rest of the process could satisfy, is an error:
// the library cannot be kept apart. Calls that its constructors make come before all this.
//
// Threads    any; writes are made one after another, since two slots may share a protected page
//
// Works on glibc, x86-64 and aarch64, DT_RELA relocations; anything else is Code::kSystem and nothing is written.
// From: System V ABI, AMD64 and AArch64 supplements; nccl-abi notes of the measured cases.

#include <link.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "plugins/island/loader/mapped.h"

namespace amalgam::loader {

// A place in memory that holds a function's address.
struct Slot {
  ElfW(Addr) * address;
  ElfW(Addr) value;  // what belongs there
  std::string_view name;
  bool read_only;  // since the dynamic linker protected it (RELRO)
};

// Somebody else's function that takes the place of the one of that name.
struct Replacement {
  std::string_view name;
  void* function;
};

// Whether the slots for such a relocation can be written at all.
bool is_known(ElfW(Xword) relocation_type);

// The slots of `object` that name a function which begins with one of the prefixes, with the addresses of `library`.
Result<std::vector<Slot>> find_slots(const Object& object, void* library, std::span<const std::string_view> prefixes);

// The slots of `object` for the replaced functions.
Result<std::vector<Slot>> find_slots(const Object& object, std::span<const Replacement> replacements);

// Writes every slot and reads all again. Concurrent calls through a slot see the old or the new address.
Status write_slots(std::span<const Slot> slots);

// How many slots hold their own library's address.
std::size_t count_bound(std::span<const Slot> slots);

}  // namespace amalgam::loader
