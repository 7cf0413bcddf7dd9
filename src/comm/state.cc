#include "comm/state.h"

namespace amalgam::comm {

bool State::fail(const Status& reason) {
  std::lock_guard lock(mutex_);
  if (!reason_.ok()) return false;
  reason_ = reason;
  word_.fetch_or(static_cast<std::uint64_t>(reason.code()), std::memory_order_seq_cst);
  return true;
}

Status State::reason() const {
  std::lock_guard lock(mutex_);
  if (!reason_.ok()) return reason_;
  return Status(Code::kInvalidUsage, "the communicator was revoked");
}

}  // namespace amalgam::comm
