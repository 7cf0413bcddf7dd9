#pragma once

// A stream of our own that only carries copies, and how far it has come.
//
// Marks count up. Where the device can write a word into pinned memory a mark is such a write, else an event.
//
// Threads    one at a time (the engine's, with the device current)
// Ownership  stream, word and events live as long as the process: freeing them could wait for parked work of the user
// Errors     the runtime's

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "base/device.h"
#include "base/status.h"

namespace amalgam::engine {

class CopyQueue {
 public:
  // `word`: 8 bytes of pinned memory of this queue's own, zero.
  static Result<CopyQueue> create(const device::Runtime& runtime, std::uint64_t* word);

  Status copy(void* to, const void* from, std::size_t bytes, device::Direction direction) {
    return runtime_->copy(to, from, bytes, direction, stream_);
  }
  // What was queued so far; reached() once it is done. Marks are asked for in the order in which they were made.
  Result<std::uint64_t> mark();
  Result<bool> reached(std::uint64_t mark);

 private:
  CopyQueue(const device::Runtime& runtime, device::Stream stream, std::uint64_t* word)
      : runtime_(&runtime), stream_(stream), word_(word) {}
  Result<device::Event> event();

  const device::Runtime* runtime_;
  device::Stream stream_;
  std::uint64_t* word_;
  std::uint64_t marked_ = 0, reached_ = 0;
  std::deque<device::Event> running_;
  std::vector<device::Event> idle_;
};

}  // namespace amalgam::engine
