#include "launch/delegate.h"

#include <algorithm>
#include <vector>

#include "launch/api.h"
#include "launch/record.h"
#include "launch/told.h"

namespace amalgam::launch {
namespace {

using comm::Communicator;

// A wrong argument or a wrong moment concerns the call alone.
bool ends_communicator(Code code) {
  return code != Code::kOk && code != Code::kInProgress && code != Code::kInvalidArgument &&
         code != Code::kInvalidUsage;
}

// The flight record says that the call was entered and has returned; the vendor's stream knows the rest.
Status issue_recorded(Communicator& communicator, const Request& request) {
  const std::int64_t now = now_ns();
  const std::uint64_t ticket = enter(communicator, request, next_sequence(communicator, request), now);
  Status status = communicator.delegate()->issue(request);
  communicator.flight().complete(ticket, now);
  return status;
}

std::vector<const island::Library*> libraries_of(std::span<const Work> work) {
  std::vector<const island::Library*> libraries;
  for (const Work& item : work)
    if (item.communicator->delegate() != nullptr &&
        std::find(libraries.begin(), libraries.end(), item.communicator->delegate_library()) == libraries.end())
      libraries.push_back(item.communicator->delegate_library());
  return libraries;
}

Status issue_with(const island::Library* library, std::span<const Work> work) {
  AMALGAM_TRY(library->group_start());
  Status first;
  Communicator* last = nullptr;
  for (const Work& item : work) {
    if (item.communicator->delegate() == nullptr || item.communicator->delegate_library() != library) continue;
    last = item.communicator;
    Status status = item.raw ? item.raw() : issue_recorded(*item.communicator, item.request);
    if (first.ok() || first.code() == Code::kInProgress) first = std::move(status);
    if (!first.ok() && first.code() != Code::kInProgress) break;
  }
  Status ended = library->group_end();  // also after an error: the vendor's group must not stay open
  if (first.ok() || first.code() == Code::kInProgress) first = std::move(ended);
  return judge(*last, std::move(first));
}

}  // namespace

bool has_vendor_function(Communicator* communicator, const char* name) {
  return communicator->delegate() != nullptr && communicator->delegate_library()->function(name) != nullptr;
}

Status call_vendor(Communicator* communicator, const char* name, const std::function<int(void*, void*)>& call) {
  const comm::Use use(communicator);
  AMALGAM_TRY(use.status());
  AMALGAM_TRY(communicator->usable());
  return told(Group::current().add(communicator, [=]() -> Status {
    const island::Library& library = *communicator->delegate_library();
    return library.status_of(name, call(library.function(name), communicator->delegate()->native()));
  }));
}

VendorFunction vendor_function_of_thread(const char* name) {
  Result<comm::Stack> stack = comm::find_stack();
  if (!stack) return {};
  comm::find_library(*stack);
  return stack->library == nullptr ? VendorFunction{} : VendorFunction{stack->library, stack->library->function(name)};
}

Status judge(Communicator& communicator, Status status) {
  if (!ends_communicator(status.code()) || communicator.state().raised()) return status;
  communicator.fail(status);
  communicator.report_failure(status);
  return status;
}

Status issue(Communicator& communicator, const Request& request) {
  return judge(communicator, issue_recorded(communicator, request));
}

Status issue_group(std::span<const Work> work) {
  Status first;
  for (const island::Library* library : libraries_of(work)) {
    Status status = issue_with(library, work);
    if (first.ok() || first.code() == Code::kInProgress) first = std::move(status);
  }
  return first;
}

}  // namespace amalgam::launch
