// Calls that issue work, and the groups around them.

#include "launch/api.h"
#include "launch/group.h"
#include "observe/log.h"

namespace amalgam::launch {
namespace {

// Whoever decides an error logs it; in-progress is none.
Status told(Status status) {
  if (!status.ok() && status.code() != Code::kInProgress) log::set_last_error(status.message());
  return status;
}

}  // namespace

Status group_start() {
  Group::current().start();
  return {};
}

Status group_end() { return told(Group::current().end()); }

Status group_simulate_end(double* microseconds) {
  Result<std::optional<std::uint64_t>> predicted = Group::current().simulate_end();
  if (!predicted) return told(predicted.status());
  if (*predicted) *microseconds = static_cast<double>(**predicted) / 1000.0;
  return {};
}

Status enqueue(Communicator* communicator, Request request) {
  comm::Use use(communicator);
  Group& group = Group::current();
  if (Status gone = use.status(); !gone.ok()) return told(group.note(gone));
  if (Status usable = communicator->usable(); !usable.ok()) {
    communicator->report_failure(usable);  // a peer may have been lost between calls
    // Inside a group an init of the same group may still make it usable: judged at the end.
    if (!group.open() || usable.code() != Code::kInvalidArgument) return told(group.note(usable));
  }
  return told(group.note(group.add(communicator, std::move(request))));
}

}  // namespace amalgam::launch
