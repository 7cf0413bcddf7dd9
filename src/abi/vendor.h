#pragma once

// Functions that only a vendor's library has: called there with the vendor's handle when that library carries the
// communicator (or, without one, serves the device that the calling thread works on), else refused with advice.

#include <type_traits>

#include "abi/entry.h"

namespace amalgam::abi {

inline Status refused(const char* function, const char* advice) {
  std::string text = fmt::format("{} is not supported: {}", function, advice);
  log::write(log::Level::kWarn, text);
  return Status(Code::kInvalidUsage, std::move(text));
}

// `shape` only names the function's type. Inside a group the call waits for the group's end, as all others.
template <typename... Parameters>
ncclResult_t by_vendor(ncclResult_t (*shape)(Parameters...), const char* function, const char* advice, ncclComm_t comm,
                       std::type_identity_t<Parameters>... arguments) {
  using Function = decltype(shape);
  return groupable_entry(function, [&]() -> Status {
    AMALGAM_TRY(check_communicator(function, comm));
    launch::Communicator* communicator = communicator_of(comm);
    if (!launch::has_vendor_function(communicator, function)) return refused(function, advice);
    return launch::call_vendor(communicator, function, [=](void* found, void* native) {
      const auto translated = [&](auto argument) {
        if constexpr (std::is_same_v<decltype(argument), ncclComm_t>)
          return static_cast<ncclComm_t>(native);
        else
          return argument;
      };
      return static_cast<int>(reinterpret_cast<Function>(found)(translated(arguments)...));
    });
  });
}

template <typename... Parameters>
ncclResult_t by_vendor_of_thread(ncclResult_t (*shape)(Parameters...), const char* function, const char* advice,
                                 std::type_identity_t<Parameters>... arguments) {
  using Function = decltype(shape);
  return entry(function, [&]() -> Status {
    const launch::VendorFunction found = launch::vendor_function_of_thread(function);
    if (found.function == nullptr) return refused(function, advice);
    return found.library->status_of(function,
                                    static_cast<int>(reinterpret_cast<Function>(found.function)(arguments...)));
  });
}

}  // namespace amalgam::abi
