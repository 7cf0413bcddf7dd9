#pragma once

// A call of a communicator over several islands as operations of the host engine, one after another: what each works on
// and what has to be copied for it. The whole call on a range of it (whole_pieces.h), or exchanges between islands
// (exchange_pieces.h).
//
// Threads    one at a time (who runs the call)
// Ownership  the caller's buffers, teams and programs outlive the run

#include <cstddef>
#include <cstdint>

#include "base/request.h"
#include "base/status.h"
#include "engine/operation.h"

namespace amalgam::engine {

class Pieces {
 public:
  // Between the caller's memory, or the device's scratch, and `offset` bytes into a slot of the stage.
  struct Copy {
    std::byte* user = nullptr;
    std::uint64_t offset = 0, bytes = 0;
  };
  struct Piece {
    Request request;
    Context* context = nullptr;
    const Prepared* prepared = nullptr;
    bool fp32 = false;
    std::uint64_t number = 0;  // among all pieces of the call: on every rank alike, also where others are left out
  };

  virtual ~Pieces() = default;
  virtual std::uint64_t size() const = 0;  // pieces in which this rank takes part
  // On a slot of staging memory, or on the caller's own buffers (null).
  virtual Result<Piece> piece(std::uint64_t index, std::byte* slot) = 0;
  virtual std::uint64_t uploads() const = 0;  // of each piece, at most; bytes are 0 where there is nothing
  virtual std::uint64_t downloads() const = 0;
  virtual Copy up(std::uint64_t index, std::uint64_t which) const = 0;
  virtual Copy down(std::uint64_t index, std::uint64_t which) const = 0;
  virtual std::uint64_t chunk_of(std::uint64_t index) const = 0;  // whose input must be ready
};

}  // namespace amalgam::engine
