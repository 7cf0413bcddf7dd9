#include "abi/entry.h"

#include <cxxabi.h>

#include <exception>
#include <new>

#include "launch/group.h"

namespace amalgam::abi {

Status refuse(Code code, std::string text) {
  log::write(log::Level::kError, text);
  return Status(code, std::move(text));
}

ncclResult_t finish(const Status& status) {
  if (status.ok()) return ncclSuccess;
  if (status.code() == Code::kInProgress) return ncclInProgress;
  if (!status.message().empty()) log::set_last_error(status.message());
  return to_result(status.code());
}

ncclResult_t finish_exception(const char* function) {
  try {
    throw;
  } catch (const __cxxabiv1::__forced_unwind&) {
    throw;
  } catch (const std::bad_alloc&) {
    log::set_last_error("out of memory");
    return ncclSystemError;
  } catch (const std::exception& problem) {
    return finish(refuse(Code::kInternal, fmt::format("{}: {}", function, problem.what())));
  } catch (...) {
    return finish(refuse(Code::kInternal, fmt::format("{}: unknown exception", function)));
  }
}

void fail_group(const Status& status) {
  launch::Group& group = launch::Group::current();
  if (group.open()) (void)group.note(status);
}

Status check_communicator(const char* function, ncclComm_t comm) {
  Status live = launch::check(communicator_of(comm));
  if (live.ok()) return live;
  return refuse(live.code(), fmt::format("{}: {}", function, live.message()));
}

Status check_pointer(const char* function, const char* what, const void* pointer) {
  if (pointer != nullptr) return {};
  return invalid_argument("{}: {} is null", function, what);
}

}  // namespace amalgam::abi
