#ifndef NCCL_DEVICE_INERT_H_
#define NCCL_DEVICE_INERT_H_

/* Declarations only, so that programs whose source holds device-interface kernels next to ordinary collectives, such as
 * nccl-tests' all_reduce and alltoall, compile unchanged against this library. Included by nccl_device.h, C++ only.
 *
 * Nothing here communicates. A kernel needs an ncclDevComm, ncclDevCommCreate always answers ncclInvalidUsage, and
 * ncclCommQueryProperties reports deviceApiSupport = false, so such a kernel has nothing to be launched with; one that
 * runs all the same traps at the first function below. Only what those programs name is here; any other name of the
 * device interface stays undeclared and stops the compilation.
 *
 * Memory orders are cuda::memory_order_*, from <cuda/atomic> where it can be found, else stand-ins. The functions take
 * an order of any type because the header can be there and still be unfit for the language standard in use.
 */

#include "../nccl_device.h"

#ifdef __cplusplus

#if !defined(__has_include)
#define AMALGAM_STAND_IN_MEMORY_ORDER 1
#elif !__has_include(<cuda/atomic>)
#define AMALGAM_STAND_IN_MEMORY_ORDER 1
#elif !defined(AMALGAM_NO_DEVICE_HEADERS) && (defined(__CUDACC__) || __cplusplus >= 201703L)
#include <cuda/atomic>
#endif

#if defined(AMALGAM_STAND_IN_MEMORY_ORDER)
namespace cuda {
enum memory_order { memory_order_relaxed, memory_order_acquire, memory_order_release, memory_order_acq_rel };
}
#endif

#if defined(__CUDACC__) || defined(__HIPCC__)
#define AMALGAM_INERT_DEVICE inline __device__
#define AMALGAM_INERT_BOTH inline __host__ __device__
#else
#define AMALGAM_INERT_DEVICE inline
#define AMALGAM_INERT_BOTH inline
#endif

namespace amalgam_inert {

AMALGAM_INERT_BOTH void Trap() {
#if defined(__CUDA_ARCH__)
  __trap();
#else
  __builtin_trap();
#endif
}

/* Stands behind functions that should have answered something. */
template <typename Answer>
AMALGAM_INERT_BOTH Answer TrapFor() {
  Trap();
  return Answer();
}

}  // namespace amalgam_inert

/* ---- teams and pointers ---- */

AMALGAM_INERT_BOTH ncclTeam_t ncclTeamWorld(const ncclDevComm&) { return amalgam_inert::TrapFor<ncclTeam_t>(); }
AMALGAM_INERT_BOTH ncclTeam_t ncclTeamLsa(const ncclDevComm&) { return amalgam_inert::TrapFor<ncclTeam_t>(); }

AMALGAM_INERT_DEVICE void* ncclGetLocalPointer(ncclWindow_t, size_t) { return amalgam_inert::TrapFor<void*>(); }
AMALGAM_INERT_DEVICE void* ncclGetLsaPointer(ncclWindow_t, size_t, int) { return amalgam_inert::TrapFor<void*>(); }
AMALGAM_INERT_DEVICE void* ncclGetLsaMultimemPointer(ncclWindow_t, size_t, const ncclDevComm&) {
  return amalgam_inert::TrapFor<void*>();
}

/* ---- groups of threads, barriers, and puts over the network ---- */

struct ncclCoopCta {};

enum class ncclGinFenceLevel { Relaxed };

struct ncclGin_SignalInc {
  ncclGinSignal_t signal;
};

class ncclGin {
 public:
  AMALGAM_INERT_DEVICE ncclGin(const ncclDevComm&, int /*context*/) { amalgam_inert::Trap(); }

  AMALGAM_INERT_DEVICE void put(ncclTeam_t, int /*peer*/, ncclWindow_t /*destination*/, size_t, ncclWindow_t /*source*/,
                                size_t, size_t /*bytes*/, ncclGin_SignalInc) {
    amalgam_inert::Trap();
  }
  AMALGAM_INERT_DEVICE uint64_t readSignal(ncclGinSignal_t) { return amalgam_inert::TrapFor<uint64_t>(); }
  template <typename Coop>
  AMALGAM_INERT_DEVICE void waitSignal(Coop, ncclGinSignal_t, uint64_t /*least*/) {
    amalgam_inert::Trap();
  }
  template <typename Coop>
  AMALGAM_INERT_DEVICE void flush(Coop) {
    amalgam_inert::Trap();
  }
};

template <typename Coop>
class ncclLsaBarrierSession {
 public:
  AMALGAM_INERT_DEVICE ncclLsaBarrierSession(Coop, const ncclDevComm&, ncclTeam_t, ncclLsaBarrierHandle_t,
                                             uint32_t /*index*/) {
    amalgam_inert::Trap();
  }
  AMALGAM_INERT_DEVICE ncclLsaBarrierSession(Coop, const ncclDevComm&, ncclTeamTagLsa, uint32_t /*index*/,
                                             bool /*multimem*/) {
    amalgam_inert::Trap();
  }

  template <typename Order>
  AMALGAM_INERT_DEVICE void sync(Coop, Order) {
    amalgam_inert::Trap();
  }
};

template <typename Coop>
class ncclBarrierSession {
 public:
  AMALGAM_INERT_DEVICE ncclBarrierSession(Coop, ncclTeamTagWorld, ncclGin, uint32_t /*index*/) {
    amalgam_inert::Trap();
  }

  template <typename Order>
  AMALGAM_INERT_DEVICE void sync(Coop, Order, ncclGinFenceLevel) {
    amalgam_inert::Trap();
  }
};

#undef AMALGAM_INERT_DEVICE
#undef AMALGAM_INERT_BOTH
#undef AMALGAM_STAND_IN_MEMORY_ORDER

#endif /* __cplusplus */

#endif
