#pragma once

// One communicator of an NCCL-shaped library.

#include <atomic>

#include "base/island.h"
#include "plugins/island/nccl_shaped/gate.h"
#include "plugins/island/nccl_shaped/library.h"

namespace amalgam::nccl_shaped {

class Island final : public island::Island {
 public:
  explicit Island(const Library& library) : library_(library), calls_(library.calls()) {}
  ~Island() override;

  Status connect(ConstBytes id, int rank, int ranks, const island::Config& config) override;
  Status issue(const Request& request) override;
  Result<double> simulate(const Request& request) override;
  Code async_error() noexcept override;
  Status finalize() override;
  Status revoke() override;
  Status destroy() override;
  Status abort() override;
  void* native() const override { return std::atomic_ref<void*>(comm_).load(std::memory_order_acquire); }

  Status register_buffer(void* buffer, std::size_t bytes, void** handle) override;
  Status deregister_buffer(void* handle) override;
  Status register_window(void* buffer, std::size_t bytes, int flags, void** window) override;
  Status deregister_window(void* window) override;

 private:
  Status wait_until_connected(int result);
  Status call(const Request& request, int type, int op);
  Status reduce_with_scalar(const Request& request, int type);
  Status compose(const Request& request, int type);
  void* take_handle();

  const Library& library_;
  const Calls& calls_;
  Gate gate_;
  mutable void* comm_ = nullptr;  // the vendor writes it early in its init, so that another thread may abort
  int rank_ = 0, ranks_ = 1;
};

}  // namespace amalgam::nccl_shaped
