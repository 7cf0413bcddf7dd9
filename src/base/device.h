#pragma once

// A vendor's device runtime as the rest of the library sees it: memory that the CPU cannot touch, streams of work that
// runs later, and what orders our work with the user's.
//
// One Runtime stands for one runtime library in the process (CUDA, HIP, …); it is found at run time, never linked. The
// current device is the calling thread's, as in every CUDA-shaped runtime: a Visit sets it and restores the user's.
//
// Threads    any, at any time: a Runtime has no state that changes
// Ownership  a Runtime lives for ever. Streams, events and memory are the caller's to give back; never while user work
//            may be parked (reference for that: release_* may block until a parked stream goes on)
// Errors     Code::kDevice with the runtime's own name and number of the error. A failed call is never repeated here
// Rules      no method launches a kernel, and none but allocate*, release* and synchronize blocks
//
// Implementations live in plugins/device/; they see base only. comm finds them by active_runtime().

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace amalgam::device {

using Stream = void*;  // the vendor's own handle; null is its legacy default stream
using Event = void*;

enum class Memory : std::uint8_t {
  kHost,     // pageable, or unknown to the runtime
  kPinned,   // the CPU's, and the device's copy engines reach it
  kDevice,   // the CPU must not touch it
  kManaged,  // moves between the two
};

struct Place {
  Memory memory = Memory::kHost;
  int device = -1;  // of kDevice and kManaged
};

enum class Direction : std::uint8_t { kToHost, kToDevice };

// What a runtime can do beyond copies, streams and events; the ways to order work are chosen from it.
struct Capabilities {
  bool write_value = false;  // a stream writes 64 bits where the CPU sees them
  bool wait_value = false;   // a stream waits until 64 bits of pinned memory are at least a value
  bool host_function = false;
  bool capture = false;        // streams can be captured into graphs
  bool graph_objects = false;  // a graph can own an object of ours
  bool ipc = false;
  bool dma_buf = false;
};

// What a stream is being captured into.
struct Capture {
  bool active = false;
  std::uint64_t id = 0;   // of the capture, unique in the process
  void* graph = nullptr;  // the vendor's handle; null where the runtime does not tell
};

using IpcHandle = std::vector<std::byte>;  // opaque; its size is the vendor's

class Runtime {
 public:
  virtual ~Runtime() = default;

  // --- facts
  virtual std::string_view vendor() const = 0;  // "nvidia", "amd", "iluvatar", …
  virtual int version() const = 0;              // as the runtime numbers itself
  virtual const std::string& path() const = 0;  // the library's file
  virtual const Capabilities& capabilities() const = 0;

  // --- devices
  virtual Result<int> current_device() const = 0;
  virtual Status set_device(int device) const = 0;
  virtual Result<std::string> pci_bus_id(int device) const = 0;  // "0000:3b:00.0"
  virtual Result<std::string> model(int device) const = 0;       // "NVIDIA H100 80GB HBM3"; empty where unknown

  // --- memory; sizes in bytes
  virtual Result<Place> classify(const void* address) const = 0;
  virtual Result<void*> allocate(std::size_t bytes) const = 0;  // on the current device
  virtual Status release(void* memory) const = 0;
  virtual Result<void*> allocate_pinned(std::size_t bytes) const = 0;  // for all devices of the process
  virtual Status release_pinned(void* memory) const = 0;
  virtual Result<IpcHandle> export_memory(void* allocation) const = 0;
  virtual Result<void*> import_memory(const IpcHandle& handle) const = 0;
  virtual Status close_imported(void* memory) const = 0;
  virtual Result<int> export_dma_buf(void* address, std::size_t bytes) const = 0;  // a descriptor, the caller's

  // --- streams: everything is queued and runs later, in order
  virtual Result<Stream> create_stream() const = 0;  // not ordered with the legacy default stream
  virtual Status destroy_stream(Stream stream) const = 0;
  virtual Status synchronize(Stream stream) const = 0;
  virtual Status copy(void* to, const void* from, std::size_t bytes, Direction direction, Stream stream) const = 0;
  virtual Status write_value(Stream stream, std::uint64_t* pinned, std::uint64_t value) const = 0;
  virtual Status wait_value(Stream stream, std::uint64_t* pinned, std::uint64_t at_least) const = 0;
  virtual Status call_host(Stream stream, void (*function)(void*), void* argument) const = 0;

  // --- events: without timing
  virtual Result<Event> create_event() const = 0;
  virtual Status destroy_event(Event event) const = 0;
  virtual Status record(Event event, Stream stream) const = 0;
  virtual Status wait_event(Stream stream, Event event) const = 0;
  virtual Result<bool> done(Event event) const = 0;

  // --- capture
  virtual Result<Capture> capture_of(Stream stream) const = 0;
  // The calling thread's capture mode, exchanged for `mode`; CUDA's numbers. Ok and without effect where there is none.
  static constexpr int kRelaxedCapture = 2;
  virtual Result<int> exchange_capture_mode(int mode) const = 0;
  // `drop(object)` runs once the graph and all of its executable copies are gone; never on a thread that may call the
  // runtime.
  virtual Status give_to_graph(void* graph, void* object, void (*drop)(void*)) const = 0;
};

// Around every use of a runtime in a thread that is not ours: `device` is current and the capture mode relaxed while it
// lives (an event query in default mode would invalidate a capture that another thread runs).
class Visit {
 public:
  Visit(const Runtime& runtime, int device);
  ~Visit();
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  const Status& status() const { return status_; }

 private:
  const Runtime& runtime_;
  int device_before_ = -1;  // -1: nothing to restore
  int mode_before_ = -1;
  Status status_;
};

// The runtime whose device context is active on the calling thread, and that device; null runtime: none is, which
// makes the thread's rank a CPU rank. Looks only at runtimes that the process has mapped already and opens none for
// itself.
struct Active {
  const Runtime* runtime = nullptr;
  int device = -1;
};
Result<Active> active_runtime();

}  // namespace amalgam::device
