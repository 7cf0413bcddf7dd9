#pragma once

// Allgather over the tree: contributions go up, the whole comes down. Calls match by number; any number at a time.
//
//   kGatherUp    call u64, entries u32, then per entry: rank u32, blob         (a subtree's contributions)
//   kGatherDown  call u64, then one blob per rank in rank order
//
// Threads    the service thread only; GatherOutcome and decode_gathered: any.
// Errors     what does not fit is kProtocol; a gather over kGatherBytes in all is kInvalidArgument at the rank that
//            sees it.

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "bootstrap/connection.h"
#include "bootstrap/outcome.h"
#include "bootstrap/rendezvous.h"

namespace amalgam::bootstrap {

inline constexpr std::size_t kGatherBytes = 64u << 20;

using GatherOutcome = Outcome<Payload>;  // the kGatherDown payload

Result<std::vector<std::vector<std::byte>>> decode_gathered(const Payload& payload, std::uint32_t ranks);

class Gather {
 public:
  struct Sender {
    std::function<void(Payload)> up;    // to the parent
    std::function<void(Payload)> down;  // to all children
  };

  Gather(std::uint32_t rank, std::uint32_t ranks, Sender sender);

  static std::size_t frame_limit(std::uint32_t ranks) { return kGatherBytes + std::size_t{ranks} * 8 + 64; }

  Status contribute(std::vector<std::byte> mine, std::shared_ptr<GatherOutcome> outcome);
  Status from_child(std::uint32_t child, ConstBytes payload);
  Status from_parent(std::vector<std::byte> payload);
  void fail(const Status& reason);
  std::string missing_in_oldest() const;  // for a time-out's text: who in this rank's subtree has not contributed

 private:
  struct Call {
    std::map<std::uint32_t, std::vector<std::byte>> entries;
    std::size_t bytes = 0;
    std::shared_ptr<GatherOutcome> outcome;
  };

  Status add(std::uint64_t number, std::uint32_t rank, std::vector<std::byte> blob);
  void pass_on(std::uint64_t number);
  void deliver(std::uint64_t number, const Payload& payload);
  bool in_subtree(std::uint32_t rank, std::uint32_t top) const;

  std::uint32_t rank_;
  std::uint32_t ranks_;
  std::uint32_t expected_;  // ranks of this subtree
  Sender sender_;
  std::uint64_t next_own_ = 0;
  std::uint64_t next_down_ = 0;
  std::map<std::uint64_t, Call> calls_;                              // collecting
  std::map<std::uint64_t, std::shared_ptr<GatherOutcome>> waiting_;  // sent up, not answered
};

}  // namespace amalgam::bootstrap
