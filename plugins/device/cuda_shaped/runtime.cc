#include "plugins/device/cuda_shaped/runtime.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace amalgam::cuda_shaped {
namespace {

// Numbers that all CUDA-shaped runtimes share.
constexpr int kHostToDevice = 1, kDeviceToHost = 2;
constexpr unsigned kAtLeast = 0;  // comparison of a wait
constexpr int kDmaBuf = 1;        // kind of handle of an address range
constexpr int kCaptureActive = 1;
constexpr unsigned kNoDestructorSync = 1;        // of a user object
constexpr unsigned kMove = 1;                    // the graph takes the caller's reference
constexpr std::size_t kLargestAttributes = 256;  // no runtime's pointer attributes are larger

std::uintptr_t number(const void* address) { return reinterpret_cast<std::uintptr_t>(address); }

}  // namespace

Runtime::Runtime(const Table& table, Calls calls, int device)
    : table_(table), calls_(std::move(calls)), pointers_(table.pointers.front()) {
  (void)calls_.RuntimeGetVersion(&version_);
  for (const PointerLayout& layout : table.pointers)
    if (layout.since <= version_) pointers_ = layout;
  const bool values = table.values.attribute < 0 || has_attribute(device, table.values.attribute);
  capabilities_.write_value = values && calls_.WriteValue != nullptr;
  capabilities_.wait_value = values && (calls_.WaitValue != nullptr || calls_.WaitValueMasked != nullptr);
  capabilities_.host_function = calls_.LaunchHostFunc != nullptr;
  capabilities_.capture = calls_.StreamIsCapturing != nullptr;
  capabilities_.graph_objects =
      calls_.CaptureInfo != nullptr && calls_.UserObjectCreate != nullptr && calls_.GraphRetainUserObject != nullptr;
  capabilities_.ipc = calls_.IpcGetMemHandle != nullptr && calls_.IpcOpenMemHandle != nullptr;
  capabilities_.dma_buf = calls_.GetHandleForAddressRange != nullptr &&
                          (table.dma_buf_attribute < 0 || has_attribute(device, table.dma_buf_attribute));
}

bool Runtime::has_attribute(int device, int attribute) const {
  int value = 0;
  return calls_.DeviceGetAttribute(&value, attribute, device) == 0 && value != 0;
}

// The library keeps the last error of each thread until somebody takes it: the user must not find ours.
Status Runtime::failed(const char* name, int error) const {
  (void)calls_.GetLastError();
  const char* text = calls_.GetErrorName != nullptr ? calls_.GetErrorName(error) : nullptr;
  return Status(Code::kDevice,
                fmt::format("{}{}: {} ({})", table_.prefix, name, text != nullptr ? text : "error", error));
}

Status Runtime::missing(const char* name) const {
  return Status(Code::kDevice, fmt::format("{} has no {}{}", calls_.path, table_.prefix, name));
}

template <typename... Parameters, typename... Arguments>
Status Runtime::call(const char* name, int (*function)(Parameters...), Arguments... arguments) const {
  if (function == nullptr) return missing(name);
  const int error = function(arguments...);
  return error == 0 ? Status() : failed(name, error);
}

Result<int> Runtime::current_device() const {
  int device = 0;
  AMALGAM_TRY(call("GetDevice", calls_.GetDevice, &device));
  return device;
}

Status Runtime::set_device(int device) const { return call("SetDevice", calls_.SetDevice, device); }

Result<std::string> Runtime::pci_bus_id(int device) const {
  char text[32] = "";
  AMALGAM_TRY(call("DeviceGetPCIBusId", calls_.DeviceGetPCIBusId, text, static_cast<int>(sizeof(text)), device));
  return std::string(text);
}

Result<std::string> Runtime::model(int device) const {
  char text[256] = "";
  if (calls_.DeviceGetName != nullptr)
    AMALGAM_TRY(call("DeviceGetName", calls_.DeviceGetName, text, static_cast<int>(sizeof(text)), device));
  return std::string(text);
}

Result<device::Place> Runtime::classify(const void* address) const {
  std::byte attributes[kLargestAttributes] = {};
  if (calls_.PointerGetAttributes(attributes, address) != 0) {
    (void)calls_.GetLastError();  // older runtimes know no "unregistered": they refuse what is not theirs
    return device::Place{};
  }
  int type = 0, device = 0;
  std::memcpy(&type, attributes + pointers_.type_offset, sizeof(type));
  std::memcpy(&device, attributes + pointers_.device_offset, sizeof(device));
  if (type == pointers_.device) return device::Place{device::Memory::kDevice, device};
  if (type == pointers_.managed) return device::Place{device::Memory::kManaged, device};
  return device::Place{type == pointers_.pinned ? device::Memory::kPinned : device::Memory::kHost, -1};
}

Result<int> Runtime::type_of(const void* address) const {
  std::byte attributes[kLargestAttributes] = {};
  AMALGAM_TRY(call("PointerGetAttributes", calls_.PointerGetAttributes, static_cast<void*>(attributes), address));
  int type = 0;
  std::memcpy(&type, attributes + pointers_.type_offset, sizeof(type));
  return type;
}

// The two blocks are kept for ever: a free may wait for work that the user has parked.
Status Runtime::learn(int device) {
  if (pointers_.device != kLearned && pointers_.pinned != kLearned) return {};
  const device::Visit visit(*this, device);
  AMALGAM_TRY(visit.status());
  constexpr std::size_t kSmall = 64;
  Result<void*> pinned = allocate_pinned(kSmall);
  if (!pinned) return pinned.status();
  Result<void*> memory = allocate(kSmall);
  if (!memory) return memory.status();
  Result<int> pinned_type = type_of(*pinned);
  if (!pinned_type) return pinned_type.status();
  Result<int> device_type = type_of(*memory);
  if (!device_type) return device_type.status();
  pointers_.pinned = *pinned_type;
  pointers_.device = *device_type;
  if (pointers_.pinned == pointers_.device)
    return Status(Code::kDevice, fmt::format("{} gives pinned and device memory the same type", calls_.path));
  return {};
}

Result<void*> Runtime::allocate(std::size_t bytes) const {
  void* memory = nullptr;
  AMALGAM_TRY(call("Malloc", calls_.Malloc, &memory, bytes));
  return memory;
}

Status Runtime::release(void* memory) const { return call("Free", calls_.Free, memory); }

Result<void*> Runtime::allocate_pinned(std::size_t bytes) const {
  void* memory = nullptr;
  AMALGAM_TRY(call("HostAlloc", calls_.HostAlloc, &memory, bytes, static_cast<unsigned>(table_.host_portable_mapped)));
  return memory;
}

Status Runtime::release_pinned(void* memory) const { return call("FreeHost", calls_.FreeHost, memory); }

Result<device::IpcHandle> Runtime::export_memory(void* allocation) const {
  device::IpcHandle handle(sizeof(IpcBytes));
  AMALGAM_TRY(call("IpcGetMemHandle", calls_.IpcGetMemHandle, static_cast<void*>(handle.data()), allocation));
  return handle;
}

Result<void*> Runtime::import_memory(const device::IpcHandle& handle) const {
  IpcBytes bytes;
  if (handle.size() != sizeof(bytes)) return Status(Code::kProtocol, "a memory handle of another vendor's size");
  std::memcpy(&bytes, handle.data(), sizeof(bytes));
  void* memory = nullptr;
  AMALGAM_TRY(
      call("IpcOpenMemHandle", calls_.IpcOpenMemHandle, &memory, bytes, static_cast<unsigned>(table_.ipc_lazy_peer)));
  return memory;
}

Status Runtime::close_imported(void* memory) const {
  return call("IpcCloseMemHandle", calls_.IpcCloseMemHandle, memory);
}

Result<int> Runtime::export_dma_buf(void* address, std::size_t bytes) const {
  int descriptor = -1;
  AMALGAM_TRY(call("MemGetHandleForAddressRange", calls_.GetHandleForAddressRange, static_cast<void*>(&descriptor),
                   number(address), bytes, kDmaBuf, 0ULL));
  return descriptor;
}

Result<device::Stream> Runtime::create_stream() const {
  void* stream = nullptr;
  AMALGAM_TRY(call("StreamCreateWithFlags", calls_.StreamCreateWithFlags, &stream,
                   static_cast<unsigned>(table_.stream_non_blocking)));
  return stream;
}

Status Runtime::destroy_stream(device::Stream stream) const {
  return call("StreamDestroy", calls_.StreamDestroy, stream);
}

Status Runtime::synchronize(device::Stream stream) const {
  return call("StreamSynchronize", calls_.StreamSynchronize, stream);
}

Status Runtime::copy(void* to, const void* from, std::size_t bytes, device::Direction direction,
                     device::Stream stream) const {
  const int kind = direction == device::Direction::kToDevice ? kHostToDevice : kDeviceToHost;
  return call("MemcpyAsync", calls_.MemcpyAsync, to, from, bytes, kind, stream);
}

Status Runtime::write_value(device::Stream stream, std::uint64_t* pinned, std::uint64_t value) const {
  return call("StreamWriteValue64", calls_.WriteValue, stream, number(pinned), value, 0U);
}

Status Runtime::wait_value(device::Stream stream, std::uint64_t* pinned, std::uint64_t at_least) const {
  if (calls_.WaitValueMasked != nullptr)
    return call("StreamWaitValue64", calls_.WaitValueMasked, stream, number(pinned), at_least, kAtLeast,
                ~std::uint64_t{0});
  return call("StreamWaitValue64", calls_.WaitValue, stream, number(pinned), at_least, kAtLeast);
}

Status Runtime::call_host(device::Stream stream, void (*function)(void*), void* argument) const {
  return call("LaunchHostFunc", calls_.LaunchHostFunc, stream, function, argument);
}

Result<device::Event> Runtime::create_event() const {
  void* event = nullptr;
  AMALGAM_TRY(call("EventCreateWithFlags", calls_.EventCreateWithFlags, &event,
                   static_cast<unsigned>(table_.event_without_timing)));
  return event;
}

Status Runtime::destroy_event(device::Event event) const { return call("EventDestroy", calls_.EventDestroy, event); }

Status Runtime::record(device::Event event, device::Stream stream) const {
  return call("EventRecord", calls_.EventRecord, event, stream);
}

Status Runtime::wait_event(device::Stream stream, device::Event event) const {
  return call("StreamWaitEvent", calls_.StreamWaitEvent, stream, event, 0U);
}

Result<bool> Runtime::done(device::Event event) const {
  const int error = calls_.EventQuery(event);
  if (error == 0) return true;
  if (error != table_.not_ready) return failed("EventQuery", error);
  (void)calls_.GetLastError();  // "not ready" is kept as an error, too
  return false;
}

Result<device::Capture> Runtime::capture_of(device::Stream stream) const {
  device::Capture capture;
  int status = 0;
  if (calls_.CaptureInfo != nullptr) {
    const void** dependencies = nullptr;
    std::size_t number_of_them = 0;
    AMALGAM_TRY(call("StreamGetCaptureInfo", calls_.CaptureInfo, stream, &status, &capture.id, &capture.graph,
                     &dependencies, &number_of_them));
  } else if (calls_.StreamIsCapturing != nullptr) {
    AMALGAM_TRY(call("StreamIsCapturing", calls_.StreamIsCapturing, stream, &status));
  }
  capture.active = status == kCaptureActive;
  return capture;
}

Result<int> Runtime::exchange_capture_mode(int mode) const {
  if (calls_.ThreadExchangeStreamCaptureMode == nullptr) return mode;
  AMALGAM_TRY(call("ThreadExchangeStreamCaptureMode", calls_.ThreadExchangeStreamCaptureMode, &mode));
  return mode;
}

Status Runtime::give_to_graph(void* graph, void* object, void (*drop)(void*)) const {
  void* owned = nullptr;
  AMALGAM_TRY(call("UserObjectCreate", calls_.UserObjectCreate, &owned, object, drop, 1U, kNoDestructorSync));
  return call("GraphRetainUserObject", calls_.GraphRetainUserObject, graph, owned, 1U, kMove);
}

}  // namespace amalgam::cuda_shaped
