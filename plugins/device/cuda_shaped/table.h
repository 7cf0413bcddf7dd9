#pragma once

// What differs between runtimes that look like CUDA's: names, numbers and layouts. One constant Table per vendor in
// plugins/device/tables/; docs/adding-a-vendor.md goes through its rows.
//
// Every row says in a comment how sure its source is: [H] read in a public header or binary, [C] inferred from public
// code that calls it, [D] documentation, [R] one field report, [U] assumed.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace amalgam::cuda_shaped {

// A function that the vendor does not call prefix + the name that CUDA uses. A null `theirs`: the vendor lacks it.
struct Rename {
  std::string_view cuda;  // without "cuda", as in calls.inc
  const char* theirs;     // the whole symbol
};

// For a number that no source tells: one block of each kind is allocated and asked about, once in a process.
inline constexpr int kLearned = -1;

// Where a pointer's attributes tell memory type and device, and the numbers of the types. Valid for library versions
// from `since` on; the last such row counts.
struct PointerLayout {
  int since;
  std::size_t type_offset, device_offset;
  int pinned, device;  // kLearned: both are
  int managed;         // -2: not known; anything else than the three is host memory
};

// Stream operations on 64-bit values live in the driver for CUDA and in the runtime for others.
struct ValueCalls {
  const char* write;         // (stream, address, value, flags)
  const char* wait;          // the same, and a mask where `masked`
  const char* write_before;  // older names of the same; may be null
  const char* wait_before;
  bool masked;
  int attribute;  // of the device: nonzero when it can; -1: the symbols tell
};

struct Table {
  std::string_view vendor;
  const char* prefix;  // of the runtime's functions

  // File names, most wanted first. The runtime is only looked for among what the process has mapped; if the driver is
  // mapped and the runtime is not (programs link CUDA's statically), it is opened by these names.
  std::span<const char* const> runtimes;
  const char* driver;  // null: the runtime is all there is

  // Whether the calling thread has a device context: asked by the first that is not null.
  const char* current_context;  // (void** context): null without one
  const char* primary_state;    // (int device, unsigned* flags, int* active)

  const char* device_name;           // (char* text, int length, int device)
  const char* capture_info;          // (stream, status, id, graph, dependencies, number)
  const char* address_range_handle;  // (handle, address, bytes, type, flags): dma-buf

  // Whose device it is, when several vendors answer to the same library names: PCI vendor (0: any), then words in the
  // device's name or in the library's path.
  std::uint16_t pci_vendor;
  std::span<const char* const> marks;

  std::span<const Rename> renames;
  std::span<const PointerLayout> pointers;
  ValueCalls values;
  int stream_non_blocking;  // flag of StreamCreateWithFlags
  int event_without_timing;
  int host_portable_mapped;  // flags of HostAlloc
  int ipc_lazy_peer;         // flag of IpcOpenMemHandle
  int not_ready;             // EventQuery: still running
  int dma_buf_attribute;     // of the device; -1: the symbol tells
};

}  // namespace amalgam::cuda_shaped
