// Memory, and what is registered with a communicator.

#include "abi/entry.h"

using namespace amalgam;
using abi::check_communicator;
using abi::check_pointer;
using abi::communicator_of;
using abi::entry;

ncclResult_t pncclMemAlloc(void** ptr, size_t size) {
  return entry("ncclMemAlloc", [&]() -> Status {
    AMALGAM_TRY(check_pointer("ncclMemAlloc", "ptr", ptr));
    *ptr = nullptr;
    return size == 0 ? Status{} : launch::memory_allocate(ptr, size);
  });
}
AMALGAM_PUBLIC_NAME(ncclMemAlloc);

ncclResult_t pncclMemFree(void* ptr) {
  return entry("ncclMemFree", [&] { return launch::memory_free(ptr); });
}
AMALGAM_PUBLIC_NAME(ncclMemFree);

ncclResult_t pncclCommRegister(const ncclComm_t comm, void* buff, size_t size, void** handle) {
  constexpr const char* kName = "ncclCommRegister";
  return entry(kName, [&]() -> Status {
    AMALGAM_TRY(check_communicator(kName, comm));
    AMALGAM_TRY(check_pointer(kName, "buff", buff));
    AMALGAM_TRY(check_pointer(kName, "handle", handle));
    *handle = nullptr;
    return launch::register_buffer(communicator_of(comm), buff, size, handle);
  });
}
AMALGAM_PUBLIC_NAME(ncclCommRegister);

ncclResult_t pncclCommDeregister(const ncclComm_t comm, void* handle) {
  constexpr const char* kName = "ncclCommDeregister";
  return entry(kName, [&]() -> Status {
    AMALGAM_TRY(check_communicator(kName, comm));
    return handle == nullptr ? Status{} : launch::deregister_buffer(communicator_of(comm), handle);
  });
}
AMALGAM_PUBLIC_NAME(ncclCommDeregister);

ncclResult_t pncclCommWindowRegister(ncclComm_t comm, void* buff, size_t size, ncclWindow_t* win, int winFlags) {
  constexpr const char* kName = "ncclCommWindowRegister";
  return abi::groupable_entry(kName, [&]() -> Status {
    AMALGAM_TRY(check_communicator(kName, comm));
    AMALGAM_TRY(check_pointer(kName, "win", win));
    *win = nullptr;
    if (size != 0) AMALGAM_TRY(check_pointer(kName, "buff", buff));
    if (winFlags < 0) return abi::invalid_argument("{}: flags {:#x}", kName, static_cast<unsigned>(winFlags));
    return launch::register_window(communicator_of(comm), buff, size, winFlags, reinterpret_cast<void**>(win));
  });
}
AMALGAM_PUBLIC_NAME(ncclCommWindowRegister);

ncclResult_t pncclCommWindowDeregister(ncclComm_t comm, ncclWindow_t win) {
  constexpr const char* kName = "ncclCommWindowDeregister";
  return abi::groupable_entry(kName, [&]() -> Status {
    AMALGAM_TRY(check_communicator(kName, comm));
    return win == nullptr ? Status{} : launch::deregister_window(communicator_of(comm), win);
  });
}
AMALGAM_PUBLIC_NAME(ncclCommWindowDeregister);

ncclResult_t pncclWinGetUserPtr(ncclComm_t comm, ncclWindow_t win, void** outUserPtr) {
  constexpr const char* kName = "ncclWinGetUserPtr";
  return entry(kName, [&]() -> Status {
    AMALGAM_TRY(check_communicator(kName, comm));
    AMALGAM_TRY(check_pointer(kName, "win", win));
    AMALGAM_TRY(check_pointer(kName, "outUserPtr", outUserPtr));
    return launch::window_user_pointer(communicator_of(comm), win, outUserPtr);
  });
}
AMALGAM_PUBLIC_NAME(ncclWinGetUserPtr);
