#pragma once

// A vendor's collective library as the rest of the library sees it, and one communicator of it: an island.
//
// A communicator whose ranks all have one vendor's devices is handed whole to that vendor's library (its delegate): our
// handle stays outside, every call goes to an Island, and what only that library can do is reached by function().
//
// Threads    a Library: any. An Island: one thread at a time issues; async_error() and abort() from any thread at any
//            time, also while connect() or issue() has not returned
// Ownership  a Library lives for ever. An Island is its communicator's; its vendor handle goes with abort() or
// destroy() Errors     the vendor's result under our code, with its name, its text and the call. kInProgress is no
// error
//
// Implementations live in plugins/island/; they see base and include/ only. comm finds them by library_of().

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/request.h"
#include "base/status.h"
#include "base/types.h"

namespace amalgam::device {
class Runtime;
}

namespace amalgam::island {

// The caller's ncclConfig_t as far as the caller set it, by name: rebuilt at the library's own version.
struct Config {
  static constexpr int kUnset = INT32_MIN;
  int blocking = kUnset, cga_cluster_size = kUnset, min_ctas = kUnset, max_ctas = kUnset, split_share = kUnset,
      traffic_class = kUnset, collnet_enable = kUnset, cta_policy = kUnset, shrink_share = kUnset, nvls_ctas = kUnset,
      channels_per_net_peer = kUnset, nvlink_centric_sched = kUnset, graph_usage_mode = kUnset, rma_contexts = kUnset,
      max_p2p_peers = kUnset, graph_stream_ordering = kUnset;
  std::string net_name, name;  // empty: unset
};

class Island {
 public:
  virtual ~Island() = default;

  // Collective: all ranks of the island, with the id that one of them made. Returns when the vendor's communicator
  // works, or once abort() was called; polls a vendor that answers "in progress".
  virtual Status connect(ConstBytes id, int rank, int ranks, const Config& config) = 0;
  virtual Status issue(const Request& request) = 0;
  virtual Result<double> simulate(const Request& request) = 0;  // microseconds
  virtual Code async_error() noexcept = 0;                      // kOk, kInProgress or the vendor's error
  virtual Status finalize() = 0;
  virtual Status revoke() = 0;       // stops what runs; only abort or destroy may follow
  virtual Status destroy() = 0;      // the vendor's handle is gone, whatever it answered
  virtual Status abort() = 0;        // likewise; may take as long as the vendor takes
  virtual void* native() const = 0;  // the vendor's handle; null before connect() began and after the end

  virtual Status register_buffer(void* buffer, std::size_t bytes, void** handle) = 0;
  virtual Status deregister_buffer(void* handle) = 0;
  virtual Status register_window(void* buffer, std::size_t bytes, int flags, void** window) = 0;
  virtual Status deregister_window(void* window) = 0;
};

class Library {
 public:
  virtual ~Library() = default;

  virtual std::string_view vendor() const = 0;  // of the devices that it serves
  virtual std::string_view name() const = 0;    // "NCCL", "RCCL", …
  virtual int version() const = 0;              // as NCCL_VERSION_CODE
  virtual const std::string& path() const = 0;
  virtual std::string describe() const = 0;  // for the log: name, version, file, why that file

  virtual bool premultiplies() const = 0;                      // knows premultiplied sums
  virtual Result<std::vector<std::byte>> make_id() const = 0;  // of the vendor's own size
  virtual std::unique_ptr<Island> make_island() const = 0;
  virtual Status group_start() const = 0;  // of the calling thread
  virtual Status group_end() const = 0;
  virtual Result<void*> allocate(std::size_t bytes) const = 0;  // on the current device
  virtual Status release(void* memory) const = 0;
  // A function of the library's own, by its NCCL name: null when it has none. For what has no form of its own here.
  virtual void* function(const char* name) const = 0;
  // The status of what such a function returned.
  virtual Status status_of(const char* call, int result) const = 0;
};

// The collective library of a runtime's vendor: found, opened and checked at the first call. `path` is the user's word
// for the file, or empty.
Result<const Library*> library_of(const device::Runtime& runtime, const std::string& path);

}  // namespace amalgam::island
