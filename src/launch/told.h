#pragma once

#include "base/status.h"
#include "observe/log.h"

namespace amalgam::launch {

// Whoever decides an error logs it; being in progress is none.
inline Status told(Status status) {
  if (!status.ok() && status.code() != Code::kInProgress) log::error("{}", status.message());
  return status;
}

}  // namespace amalgam::launch
