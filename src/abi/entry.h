#pragma once

// What every exported function is wrapped in: it runs a body that returns Status, lets no exception out, turns the
// Status into NCCL's result and leaves its text for ncclGetLastError.
//
// Threads  any; keeps no state. Errors: a body whose arguments are wrong returns refuse(...), which has logged the
// text; Status of lower layers is logged already.

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "abi/translate.h"
#include "base/status.h"
#include "launch/api.h"
#include "nccl.h"
#include "observe/log.h"

// Gives pncclX, defined just before, its public name ncclX: the same address, weak so that a profiler may define its
// own.
#define AMALGAM_PUBLIC_NAME(name) \
  extern "C" __attribute__((weak, alias("p" #name), visibility("default"))) decltype(p##name) name

namespace amalgam::abi {

// Logs the text and returns it as a Status.
Status refuse(Code code, std::string text);

template <typename... Args>
Status invalid_argument(fmt::format_string<Args...> format, Args&&... args) {
  return refuse(Code::kInvalidArgument, fmt::format(format, std::forward<Args>(args)...));
}

// Sets the thread's last error and translates.
ncclResult_t finish(const Status& status);
// To be called in a handler: the exception that is being handled as a result. Rethrows only the cancellation of a
// thread.
ncclResult_t finish_exception(const char* function);

// The first error of a thread's open group sticks; its outermost end returns it.
void fail_group(const Status& status);

template <typename Body>
ncclResult_t entry(const char* function, Body&& body) {
  try {
    return finish(body());
  } catch (...) {
    return finish_exception(function);
  }
}

// An error of the arguments of a groupable call also fails the group that the call stands in.
template <typename Body>
ncclResult_t groupable_entry(const char* function, Body&& body) {
  return entry(function, [&] {
    Status status = body();
    if (!status.ok() && status.code() != Code::kInProgress) fail_group(status);
    return status;
  });
}

inline launch::Communicator* communicator_of(ncclComm_t comm) { return reinterpret_cast<launch::Communicator*>(comm); }

// The number that the caller passed, which may be none of the enumeration's: never read through the enumeration's type.
template <typename Enum>
int raw_value(const Enum& value) {
  static_assert(sizeof(Enum) == sizeof(int));
  int number;
  std::memcpy(&number, &value, sizeof(number));
  return number;
}

// One of our live communicators? "ncclX: the communicator is NULL …" otherwise.
Status check_communicator(const char* function, ncclComm_t comm);
// "ncclX: `what` is null" unless it is not.
Status check_pointer(const char* function, const char* what, const void* pointer);

}  // namespace amalgam::abi
