#pragma once

// What the mixed communicators of this process share on one device: two streams of ours (up: to the host, down: to the
// device), gates, and the pinned memory through which everything goes.
//
// All of it is made when communicators are made and kept for the process: freeing pinned memory or streams may wait for
// work that the user has parked.
//
// Threads    up and down: the engine's thread. all else: any, locked here
// Errors     the runtime's

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "base/device.h"
#include "base/status.h"
#include "engine/copy_queue.h"
#include "engine/gate.h"

namespace amalgam::engine {

class DeviceQueue {
 public:
  // The one of this device, made at first use; the device is made current for that. Never null, never freed.
  static Result<DeviceQueue*> of(const device::Runtime& runtime, int device);

  const device::Runtime& runtime() const { return runtime_; }
  int device() const { return device_; }
  CopyQueue& up() { return *up_; }
  CopyQueue& down() { return *down_; }

  Result<Gate*> take_gate();      // armed
  void release_gate(Gate* gate);  // by one of the two owners of its use
  Status wait(Gate& gate, device::Stream stream);

  // Pinned memory of a communicator: as large as the process's budget allows, at most `wanted`, at least `needed`.
  struct Staging {
    std::byte* base = nullptr;
    std::size_t bytes = 0;
  };
  Result<Staging> take_staging(std::size_t wanted, std::size_t needed);
  void give_staging(Staging staging);  // kept for the next communicator

  // Device memory of a communicator, always of one size; the device is current.
  Result<std::byte*> take_scratch(std::size_t bytes);
  void give_scratch(std::byte* scratch);  // kept likewise

  // Makes the device current and the capture mode relaxed on an engine's thread, once.
  Status enter_engine();

 private:
  DeviceQueue(const device::Runtime& runtime, int device) : runtime_(runtime), device_(device) {}
  Status prepare();
  Result<std::uint64_t*> take_words(std::size_t count);

  const device::Runtime& runtime_;
  const int device_;
  std::unique_ptr<CopyQueue> up_, down_;
  std::mutex mutex_;
  device::Event parked_ = nullptr;  // after the host function that parks last; null where words are waited for
  std::uint64_t* words_ = nullptr;
  std::size_t words_left_ = 0;
  std::vector<Gate*> gates_;
  std::vector<Staging> staging_;
  std::vector<std::byte*> scratch_;
};

}  // namespace amalgam::engine
