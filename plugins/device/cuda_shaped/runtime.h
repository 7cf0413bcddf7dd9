#pragma once

// One CUDA-shaped runtime as a device::Runtime: table (constants) + calls (functions of the library that was found).

#include <string>
#include <string_view>

#include "base/device.h"
#include "plugins/device/cuda_shaped/calls.h"
#include "plugins/device/cuda_shaped/table.h"

namespace amalgam::cuda_shaped {

class Runtime final : public device::Runtime {
 public:
  Runtime(const Table& table, Calls calls, int device);

  // What the table leaves to be found out, on a device on which the calling thread has a context. Before anything else.
  Status learn(int device);

  std::string_view vendor() const override { return table_.vendor; }
  int version() const override { return version_; }
  const std::string& path() const override { return calls_.path; }
  const device::Capabilities& capabilities() const override { return capabilities_; }

  Result<int> current_device() const override;
  Status set_device(int device) const override;
  Result<std::string> pci_bus_id(int device) const override;
  Result<std::string> model(int device) const override;

  Result<device::Place> classify(const void* address) const override;
  Result<void*> allocate(std::size_t bytes) const override;
  Status release(void* memory) const override;
  Result<void*> allocate_pinned(std::size_t bytes) const override;
  Status release_pinned(void* memory) const override;
  Result<device::IpcHandle> export_memory(void* allocation) const override;
  Result<void*> import_memory(const device::IpcHandle& handle) const override;
  Status close_imported(void* memory) const override;
  Result<int> export_dma_buf(void* address, std::size_t bytes) const override;

  Result<device::Stream> create_stream() const override;
  Status destroy_stream(device::Stream stream) const override;
  Status synchronize(device::Stream stream) const override;
  Status copy(void* to, const void* from, std::size_t bytes, device::Direction direction,
              device::Stream stream) const override;
  Status write_value(device::Stream stream, std::uint64_t* pinned, std::uint64_t value) const override;
  Status wait_value(device::Stream stream, std::uint64_t* pinned, std::uint64_t at_least) const override;
  Status call_host(device::Stream stream, void (*function)(void*), void* argument) const override;

  Result<device::Event> create_event() const override;
  Status destroy_event(device::Event event) const override;
  Status record(device::Event event, device::Stream stream) const override;
  Status wait_event(device::Stream stream, device::Event event) const override;
  Result<bool> done(device::Event event) const override;

  Result<device::Capture> capture_of(device::Stream stream) const override;
  Result<int> exchange_capture_mode(int mode) const override;
  Status give_to_graph(void* graph, void* object, void (*drop)(void*)) const override;

 private:
  template <typename... Parameters, typename... Arguments>
  Status call(const char* name, int (*function)(Parameters...), Arguments... arguments) const;
  Status failed(const char* name, int error) const;
  Status missing(const char* name) const;
  Result<int> type_of(const void* address) const;
  bool has_attribute(int device, int attribute) const;

  const Table& table_;
  const Calls calls_;
  int version_ = 0;
  PointerLayout pointers_;  // of this version
  device::Capabilities capabilities_;
};

}  // namespace amalgam::cuda_shaped
