// Memory for communication, registrations and windows.
//
// On CPU ranks memory from memory_allocate() is what peers can read in place; a registration adds nothing to that, so
// buffers and windows are kept as checked handles only. On a thread that works on a device the memory is its vendor's,
// and so are the registrations of a communicator that the vendor's library carries.

#include <fmt/format.h>

#include <map>
#include <mutex>

#include "base/host_memory.h"
#include "comm/communicator.h"
#include "launch/api.h"
#include "launch/group.h"
#include "launch/told.h"
#include "observe/log.h"

namespace amalgam::launch {
namespace {

// Device memory that we gave out, and who takes it back.
struct DeviceMemory {
  const island::Library* library;  // null: the runtime
  const device::Runtime* runtime;
};
struct DeviceAllocations {
  std::mutex mutex;
  std::map<void*, DeviceMemory> all;
};
DeviceAllocations& device_allocations() {
  static auto* allocations = new DeviceAllocations;  // never destroyed: programs free in static destructors
  return *allocations;
}

// The vendor's library gives memory that its own transports can use; an older one has no such call.
Result<void*> allocate_on_device(comm::Stack& stack, std::size_t bytes) {
  comm::find_library(stack);
  if (stack.library != nullptr && stack.library->function("ncclMemAlloc") != nullptr)
    return stack.library->allocate(bytes);
  stack.library = nullptr;
  return stack.runtime->allocate(bytes);
}

Status release_on_device(void* pointer, bool* found) {
  DeviceMemory owner{};
  {
    const std::lock_guard lock(device_allocations().mutex);
    const auto at = device_allocations().all.find(pointer);
    *found = at != device_allocations().all.end();
    if (!*found) return {};
    owner = at->second;
    device_allocations().all.erase(at);
  }
  return owner.library != nullptr ? owner.library->release(pointer) : owner.runtime->release(pointer);
}

Status add(Communicator* communicator, comm::HandleTable::Kind kind, void* buffer, std::size_t bytes, void** handle) {
  if (buffer == nullptr && bytes != 0) return told(Status(Code::kInvalidArgument, "the buffer to register is NULL"));
  *handle = communicator->handles().add(kind, buffer, bytes);
  return {};
}

Status remove(Communicator* communicator, comm::HandleTable::Kind kind, void* handle) {
  if (handle == nullptr || communicator->handles().remove(kind, handle)) return {};
  return told(
      Status(Code::kInvalidArgument, fmt::format("{} is not a live registration of this communicator", handle)));
}

}  // namespace

Status memory_allocate(void** out, std::size_t bytes) {
  *out = nullptr;
  if (bytes == 0) return {};
  Result<comm::Stack> stack = comm::find_stack();
  if (!stack) return told(stack.status());
  const bool on_device = stack->runtime != nullptr;
  Result<void*> memory = on_device ? allocate_on_device(*stack, bytes) : host_memory::allocate(bytes);
  if (!memory) return told(memory.status());
  *out = *memory;
  if (!on_device) return {};
  const std::lock_guard lock(device_allocations().mutex);
  device_allocations().all[*out] = {stack->library, stack->runtime};
  return {};
}

Status memory_free(void* pointer) {
  if (pointer == nullptr) return {};
  bool on_device = false;
  Status released = release_on_device(pointer, &on_device);
  return told(on_device ? std::move(released) : host_memory::release(pointer));
}

Status register_buffer(Communicator* communicator, void* buffer, std::size_t bytes, void** handle) {
  if (island::Island* delegate = communicator->delegate())
    return told(delegate->register_buffer(buffer, bytes, handle));
  return add(communicator, comm::HandleTable::Kind::kBuffer, buffer, bytes, handle);
}

Status deregister_buffer(Communicator* communicator, void* handle) {
  if (island::Island* delegate = communicator->delegate()) return told(delegate->deregister_buffer(handle));
  return remove(communicator, comm::HandleTable::Kind::kBuffer, handle);
}

Status register_window(Communicator* communicator, void* buffer, std::size_t bytes, int flags, void** window) {
  if (communicator->delegate() == nullptr)
    return add(communicator, comm::HandleTable::Kind::kWindow, buffer, bytes, window);
  return told(Group::current().note(Group::current().add(communicator, [=]() -> Status {
    AMALGAM_TRY(communicator->delegate()->register_window(buffer, bytes, flags, window));
    if (*window != nullptr) communicator->handles().remember(comm::HandleTable::Kind::kWindow, *window, buffer, bytes);
    return {};
  })));
}

Status deregister_window(Communicator* communicator, void* window) {
  if (communicator->delegate() != nullptr) {
    (void)communicator->handles().remove(comm::HandleTable::Kind::kWindow, window);
    return told(Group::current().note(
        Group::current().add(communicator, [=] { return communicator->delegate()->deregister_window(window); })));
  }
  return remove(communicator, comm::HandleTable::Kind::kWindow, window);
}

Status window_user_pointer(Communicator* communicator, void* window, void** pointer) {
  *pointer = communicator->handles().buffer(comm::HandleTable::Kind::kWindow, window);
  if (*pointer != nullptr) return {};
  return told(Status(Code::kInvalidArgument, fmt::format("{} is not a live window of this communicator", window)));
}

}  // namespace amalgam::launch
