#pragma once

// The vendor stack of one rank: which device runtime its thread works on, and which collective library serves it.

#include <cstdint>
#include <string>

#include "base/device.h"
#include "base/island.h"
#include "base/status.h"
#include "base/wire.h"

namespace amalgam::comm {

// What the other ranks need to know of it.
struct StackFacts {
  std::string vendor = "host";
  std::string model;                 // of the device; empty where unknown
  std::string pci;                   // bus id; empty on CPU ranks
  std::int32_t runtime_version = 0;  // as the runtime numbers itself
  std::string library;               // name of the collective library; empty: none can be used
  std::int32_t library_version = 0;
  std::string library_from;  // its version and file, why and how it was opened: for people
  std::string label;         // the user's word: ranks of different labels are never in one island
  std::string problem;       // why there is no library, for the log
};

struct Stack {
  const device::Runtime* runtime = nullptr;  // null: a CPU rank
  int device = 0;                            // of the runtime, or what the caller named
  const island::Library* library = nullptr;
  StackFacts facts;
};

inline constexpr int kCurrentDevice = -1;

// The device that the calling thread works on; a CPU rank when the setting says so or no context is active.
// `device` is the caller's own choice for this rank.
Result<Stack> find_stack(int device = kCurrentDevice);

// Finds and opens the library, on whatever thread; a failure is noted in the facts, where all ranks see it.
void find_library(Stack& stack);

void write(Writer& out, const StackFacts& facts);
StackFacts read_stack(Reader& in);

}  // namespace amalgam::comm
