#pragma once

// One call of a communicator over several islands: its pieces one after another, each an operation of its own.
//
// Where the caller's buffers are a device's, every piece goes through a stage of pinned memory: copied up, worked on,
// copied down. Copies of one piece run beside the work on another, as far as the stage has slots. A call that is split
// by islands has gates, one for each chunk: its pieces go up when the stream has come there, and the gate opens when
// they have come down.
//
// Threads    one at a time (a device's: the engine's)
// Ownership  programs, context, stage, gates and the caller's buffers outlive the run
// Errors     the first one ends the call

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/device_queue.h"
#include "engine/exchange_pieces.h"
#include "engine/operation.h"
#include "engine/whole_pieces.h"

namespace amalgam::engine {

// Slots of staging memory that one call at a time holds. Calls that share a stage must ask for it in an order that all
// ranks agree on.
struct Stage {
  static constexpr std::size_t kHeader = 64;  // a scalar that lies in device memory

  DeviceQueue* queue = nullptr;
  std::byte* base = nullptr;  // header, then slots
  std::size_t slot_bytes = 0;
  std::size_t slots = 0;
  const void* holder = nullptr;

  std::size_t bytes() const { return kHeader + slots * slot_bytes; }
  std::byte* slot(std::uint64_t piece) const { return base + kHeader + piece % slots * slot_bytes; }
};

class StagedCall final : public Runnable {
 public:
  struct Numbers {
    std::uint64_t sequence = 0;  // of the first piece; the others' follow
    std::uint64_t serial = 0;
  };

  // The pieces of the next run: one of the two is filled, then started.
  WholePieces& whole() { return whole_; }
  ExchangePieces& exchange() { return exchange_; }

  // `stage`: null when the processor can use the buffers. `call.scalar_at` then must be null. `copy`: a message to
  // oneself.
  void start(const Request& call, Pieces& pieces, Numbers numbers, Stage* stage, bool copy = false);
  void add_gate(Gate* gate) { gates_.push_back(gate); }  // of the next chunk, armed
  const std::vector<Gate*>& gates() const { return gates_; }
  Result<Progress> progress() override;
  const Request& request() const override { return call_; }

 private:
  Result<Progress> progress_in_place();
  Result<Progress> progress_staged();
  Result<bool> upload();
  Result<bool> work();
  Result<bool> download_next();
  Result<bool> land();
  Result<bool> may_go_up();
  void open_gates();
  Status begin();

  Request call_;
  Numbers numbers_;
  WholePieces whole_;
  ExchangePieces exchange_;
  Pieces* pieces_ = nullptr;
  bool copy_ = false;
  Stage* stage_ = nullptr;
  std::vector<Gate*> gates_;  // by chunk
  std::uint64_t ready_ = 0, opened_ = 0;
  Operation operation_;
  bool running_ = false;    // operation_ works on piece worked_
  std::uint64_t sent_ = 0;  // pieces whose way up is queued
  std::uint64_t worked_ = 0;
  std::uint64_t landed_ = 0;                          // pieces that have come down
  std::vector<std::uint64_t> up_marks_, down_marks_;  // by slot
};

}  // namespace amalgam::engine
