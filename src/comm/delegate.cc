#include "comm/delegate.h"

#include <chrono>
#include <semaphore>
#include <thread>

#include "observe/log.h"

namespace amalgam::comm {
namespace {

constexpr std::chrono::milliseconds kAbortPatience{700};  // of the second that an abort may take

}  // namespace

Status Delegate::open(const Stack& stack, ConstBytes id, int rank, int ranks, const island::Config& config) {
  std::shared_ptr<island::Island> island = stack.library->make_island();
  {
    const std::lock_guard lock(mutex_);
    if (aborted_) return Status(Code::kAborted, "aborted during init");
    island_ = island;
    library_ = stack.library;
  }
  const device::Visit visit(*stack.runtime, stack.device);
  AMALGAM_TRY(visit.status());
  AMALGAM_TRY(island->connect(id, rank, ranks, config));
  const std::lock_guard lock(mutex_);
  if (aborted_) return Status(Code::kAborted, "aborted during init");
  open_.store(island.get(), std::memory_order_release);
  return {};
}

std::shared_ptr<island::Island> Delegate::held() {
  const std::lock_guard lock(mutex_);
  aborted_ = true;
  return island_;
}

void Delegate::dissolve() {
  abandon();
  open_.store(nullptr, std::memory_order_release);
}

void Delegate::abandon() {
  std::shared_ptr<island::Island> island = held();
  if (island == nullptr) return;
  auto done = std::make_shared<std::binary_semaphore>(0);
  std::thread([island, done] {
    if (Status aborted = island->abort(); !aborted.ok()) log::warn("{}", aborted.message());
    done->release();
  }).detach();
  if (!done->try_acquire_for(kAbortPatience))
    log::warn("{} has not come back from an abort; work of its own may stay on the user's streams",
              library_ != nullptr ? library_->name() : "the vendor's library");
}

}  // namespace amalgam::comm
