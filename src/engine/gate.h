#pragma once

// One place in a user's stream where it waits for us: "ready" when the stream has come there, "done" lets it go on.
//
//   need               first choice                     else
//   ready              the stream writes a word         an event that the engine asks for
//   done               the stream waits for a word      a host function that parks, at most one for a device at a time
//
// A runtime with neither is refused when its communicator is made. A gate is used again and again: each use has its own
// value of its words, and values rise, so that a stream that has yet to look finds a value at least as large.
//
// Threads    arm(), mark() and wait(): the caller's, with the device current, arm() before the engine has it; ready()
// and
//            open(): the engine's; open() also by whoever aborts
// Source     reference: NCCL's own proxy operations; the orders that hang were measured on an H100

#include <atomic>
#include <cstdint>

#include "base/device.h"
#include "base/status.h"

namespace amalgam::engine {

class Gate {
 public:
  // `words`: two of pinned memory, of this gate's own. `after` orders the parking host functions of a device; its
  // owner's lock is held during wait().
  static Result<Gate*> create(const device::Runtime& runtime, std::uint64_t* words);

  // A new use. It has two owners, who runs the work and who lets the stream wait: the gate may be used again when both
  // have released it.
  void arm() {
    ++use_;
    owners_.store(2, std::memory_order_relaxed);
  }
  Status mark(device::Stream stream);                                              // later, once; not ready before
  bool release() { return owners_.fetch_sub(1, std::memory_order_acq_rel) == 1; }  // true: by the last of them
  Status wait(device::Stream stream, device::Event after);                         // the stream stays here until open()
  bool parks() const { return !runtime_.capabilities().wait_value; }

  Result<bool> ready();
  void open();

 private:
  Gate(const device::Runtime& runtime, std::uint64_t* words) : runtime_(runtime), ready_(words), done_(words + 1) {}
  static void park(void* gate);

  const device::Runtime& runtime_;
  std::uint64_t* ready_;
  std::uint64_t* done_;
  std::uint64_t use_ = 0;
  std::atomic<int> owners_{0};
  std::atomic<std::uint64_t> marked_{0};  // the last use that a stream was told of
  device::Event event_ = nullptr;
  std::atomic<std::uint64_t> opened_{0};  // the last use that open() ended; host functions sleep on it
  std::atomic<std::uint64_t> passed_{0};  // host functions that have returned: each takes the next use
};

}  // namespace amalgam::engine
