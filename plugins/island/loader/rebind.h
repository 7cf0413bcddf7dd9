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
// Works on glibc, x86-64 and aarch64, DT_RELA relocations; anything else is Code::kSystem and nothing is written.
// From: System V ABI, AMD64 and AArch64 supplements; nccl-abi notes of the measured cases.

#include <link.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace amalgam::loader {

// A place in memory that holds a function's address.
struct Slot {
  ElfW(Addr) * address;
  ElfW(Addr) value;  // what belongs there
  std::string_view name;
  bool read_only;  // since the dynamic linker protected it (RELRO)
};

// The slots of `object` that name a function which begins with one of the prefixes, with the addresses of `library`.
Result<std::vector<Slot>> find_slots(const link_map& object, void* library, std::span<const std::string_view> prefixes);

// Writes every slot and reads all again. Concurrent calls through a slot see the old or the new address.
Status write_slots(std::span<const Slot> slots);

// The SONAMEs that `object` needs, as its file lists them.
std::vector<std::string_view> needed_by(const link_map& object);

// How many slots hold their own library's address.
std::size_t count_bound(std::span<const Slot> slots);

}  // namespace amalgam::loader
