#pragma once

// What the exported functions call. Arguments are already checked as far as one call alone can be checked (null
// pointers, enum ranges, roots); handles are checked here by their magic. Every function is group-aware: inside a group
// work is queued in the calling thread's group and runs at the outermost group_end().
//
// - Threads: as NCCL: one thread at a time per communicator, different communicators concurrently; abort(),
//   async_error() and last errors from any thread.
// - Errors: Status; its text is already logged and set as the thread's last error by whoever decided it. kInProgress on
//   non-blocking communicators is not a failure.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/request.h"
#include "base/status.h"
#include "base/types.h"
#include "bootstrap/unique_id.h"
#include "comm/config.h"

namespace amalgam::comm {
class Communicator;  // behind ncclComm_t
}

namespace amalgam::launch {

using comm::Communicator;

using comm::CommConfig;

// Is it one of our live communicators? kInvalidArgument with a text otherwise (null, foreign, destroyed), which the
// caller logs: it knows the function's name.
Status check(const Communicator* communicator);

// --- life. `*out` is written as NCCL does: at once for init, when done for split and shrink of non-blocking
// communicators.
Status init_rank(Communicator** out, int ranks, const bootstrap::UniqueId& id, int rank, const CommConfig& config);
Status init_all(Communicator** out, int ranks, const int* devices);  // devices may be null: 0 … ranks-1
Status split(Communicator* parent, int color, int key, Communicator** out,
             const CommConfig* config);  // color < 0 (NOCOLOR): *out = null
Status shrink(Communicator* parent, std::span<const int> excluded, bool abort_parent, Communicator** out,
              const CommConfig* config);
Status finalize(Communicator* communicator);
Status destroy(Communicator* communicator);
Status abort(Communicator* communicator);
Status revoke(Communicator* communicator);
Code async_error(
    Communicator* communicator);  // one atomic load, and a vendor's own: kOk, kInProgress or the sticky error
struct Properties {
  int rank, ranks, device;
  std::uint64_t hash;  // equal on all ranks, unique; 0 until init has finished
};
Properties properties(const Communicator* communicator);  // only after check(); valid as soon as init_rank returned

// --- groups of the calling thread
Status group_start();
Status group_end();
Status group_simulate_end(double* microseconds);  // the plans' prediction; launches nothing, resets the group

// --- what a call would take (see amalgam_predict); the text that amalgam_describe copies
struct Prediction {
  double bound_us, predicted_us;
};
Result<Prediction> predict(Communicator* communicator, Collective collective, std::uint64_t count, DataType type);
Result<std::string> describe(Communicator* communicator);

// --- work. Count 0 collectives succeed without doing anything; 0-byte send/recv are matched.
Status enqueue(Communicator* communicator, Request request);

// --- what only a vendor's library has, by its NCCL name
bool has_vendor_function(Communicator* communicator, const char* name);  // false also when no vendor carries it
// Calls it with the vendor's handle, in a group at its end; `call` gives the vendor's result.
Status call_vendor(Communicator* communicator, const char* name,
                   const std::function<int(void* function, void* native)>& call);
struct VendorFunction {
  const island::Library* library = nullptr;
  void* function = nullptr;  // null: the calling thread works on no device, or its library has none
};
VendorFunction vendor_function_of_thread(const char* name);

// --- user operations: handles ≥ 5, valid on their communicator only, type must match at use
enum class Scalar {
  kNow,
  kAtUse
};  // copied when the handle is made; read from its place by each call that uses the handle
Status create_premul_sum(Communicator* communicator, DataType type, const void* scalar, Scalar when, int* handle);
Status destroy_operation(Communicator* communicator, int handle);
// Fills request.op and request.scalar from a user handle.
Status resolve_operation(Communicator* communicator, int handle, Request* request);

// --- memory
Status memory_allocate(void** out, std::size_t bytes);
Status memory_free(void* pointer);  // null succeeds; only our own pointers
Status register_buffer(Communicator* communicator, void* buffer, std::size_t bytes, void** handle);
Status deregister_buffer(Communicator* communicator, void* handle);
Status register_window(Communicator* communicator, void* buffer, std::size_t bytes, int flags,
                       void** window);  // collective, groupable: a host-side handle, or the vendor's
Status deregister_window(Communicator* communicator, void* window);
Status window_user_pointer(Communicator* communicator, void* window, void** pointer);

}  // namespace amalgam::launch
