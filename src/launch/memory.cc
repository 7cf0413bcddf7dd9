// Memory for communication, registrations and windows.
//
// Memory from memory_allocate() is what peers can read in place; a registration adds nothing to that on CPU ranks, so
// buffers and windows are kept as checked handles only.

#include <fmt/format.h>

#include "base/host_memory.h"
#include "comm/communicator.h"
#include "launch/api.h"
#include "launch/told.h"
#include "observe/log.h"

namespace amalgam::launch {
namespace {

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
  Result<void*> memory = host_memory::allocate(bytes);
  if (!memory) return told(memory.status());
  *out = *memory;
  return {};
}

Status memory_free(void* pointer) { return pointer == nullptr ? Status() : told(host_memory::release(pointer)); }

Status register_buffer(Communicator* communicator, void* buffer, std::size_t bytes, void** handle) {
  return add(communicator, comm::HandleTable::Kind::kBuffer, buffer, bytes, handle);
}

Status deregister_buffer(Communicator* communicator, void* handle) {
  return remove(communicator, comm::HandleTable::Kind::kBuffer, handle);
}

Status register_window(Communicator* communicator, void* buffer, std::size_t bytes, void** window) {
  return add(communicator, comm::HandleTable::Kind::kWindow, buffer, bytes, window);
}

Status deregister_window(Communicator* communicator, void* window) {
  return remove(communicator, comm::HandleTable::Kind::kWindow, window);
}

Status window_user_pointer(Communicator* communicator, void* window, void** pointer) {
  *pointer = communicator->handles().buffer(comm::HandleTable::Kind::kWindow, window);
  if (*pointer != nullptr) return {};
  return told(Status(Code::kInvalidArgument, fmt::format("{} is not a live window of this communicator", window)));
}

}  // namespace amalgam::launch
