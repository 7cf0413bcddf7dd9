#pragma once

// How a rank sleeps until a peer has done something, at no cost to peers while nobody sleeps.
//
//   sleeper                              ringer
//   1 seen = word                        a publish (sequence or tail), seq_cst
//   2 sleepers = 1, seq_cst              b look at sleepers, seq_cst; 0: done
//   3 look at its lanes once more        c sleepers = 0, word + 1, wake
//   4 sleep while word == seen
//
// Either 2 precedes b, and the ringer wakes; or b precedes 2, then a precedes 3, and the sleeper sees what was
// published (Dekker). 1 must precede 2: were it the other way round, a ringer between them could clear `sleepers` and
// raise the word, and this sleeper would sleep on the new word with nobody told to wake it. As it is, whoever clears
// the sleeper's mark also makes the word differ from what it saw. Several sleepers may share a bell: waking wakes all.
//
// Threads    any. Lies in shared memory, so no pointer in it. wait() returns early for no reason, or after `limit`.

#include <atomic>
#include <chrono>
#include <cstdint>

namespace amalgam::ring {

struct alignas(128) Doorbell {
  std::atomic<std::uint32_t> word;
  std::atomic<std::uint32_t> sleepers;

  std::uint32_t prepare() {
    const std::uint32_t seen = word.load(std::memory_order_seq_cst);
    sleepers.store(1, std::memory_order_seq_cst);
    return seen;
  }
  void wait(std::uint32_t seen, std::chrono::microseconds limit);

  // After the caller's seq_cst store.
  void ring() {
    if (sleepers.load(std::memory_order_seq_cst) != 0) [[unlikely]]
      wake();
  }

 private:
  void wake();
};

}  // namespace amalgam::ring
