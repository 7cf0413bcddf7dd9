#pragma once

// The vendor's communicator that carries one of ours.
//
// Threads    open() by the thread that joins; abort() by any thread at any time, also meanwhile; get() by any thread
//            that holds the communicator
// Errors     the vendor's; open() ends with an error after abort()

#include <atomic>
#include <memory>
#include <mutex>

#include "base/island.h"
#include "base/status.h"
#include "comm/stack.h"

namespace amalgam::comm {

class Delegate {
 public:
  // Collective among all ranks of the island.
  Status open(const Stack& stack, ConstBytes id, int rank, int ranks, const island::Config& config);
  island::Island* get() const { return open_.load(std::memory_order_acquire); }  // null: there is none
  const island::Library* library() const { return library_; }

  // The vendor's communicator is not used: it was opened, but not on all ranks of the island. Before any call on it.
  void dissolve();

  // Starts the vendor's abort, which may take as long as the vendor takes, and waits for it within the time that an
  // abort of ours may take.
  void abandon();

 private:
  std::shared_ptr<island::Island> held();

  std::mutex mutex_;
  bool aborted_ = false;
  std::shared_ptr<island::Island> island_;  // an abort that takes longer than ours keeps it
  std::atomic<island::Island*> open_{nullptr};
  const island::Library* library_ = nullptr;
};

}  // namespace amalgam::comm
