// Memory operations of streams: a value written when the stream comes by, and a wait for one.

#include <type_traits>

#include "tests/vendors/nvidia/state.h"

#ifdef STANDIN_STREAM_VALUES

using face::enter;
using standin::Operation;
using standin::Work;

namespace {

constexpr unsigned kFlush = 1U << 30, kNoBarrier = 1;

template <typename Word>
bool value_satisfies(Word seen, Word value, unsigned condition) {
  switch (condition) {
    case 0: return static_cast<std::make_signed_t<Word>>(static_cast<Word>(seen - value)) >= 0;
    case 1: return seen == value;
    case 2: return (seen & value) != 0;
    default: return static_cast<Word>(~(seen | value)) != 0;
  }
}

template <typename Word>
Word* flag_at(const char* call, CUdeviceptr at) {
  void* pointer = reinterpret_cast<void*>(at);
  if (!standin::find(pointer)) standin::misuse(call, "a memop on memory that no device has mapped");
  return reinterpret_cast<Word*>(standin::reach(call, pointer, sizeof(Word)));
}

template <typename Word>
CUresult check(const char* call, CUdeviceptr at, unsigned flags, unsigned greatest) {
  if (!face::has_stream_values()) return face::kNotSupported;
  if (flags > greatest || at % sizeof(Word) != 0) return face::kInvalidValue;
  flag_at<Word>(call, at);
  return face::kSuccess;
}

template <typename Word>
CUresult check_write(const char* call, CUdeviceptr at, unsigned flags) {
  return check<Word>(call, at, flags, kNoBarrier);
}

template <typename Word>
CUresult check_wait(const char* call, CUdeviceptr at, unsigned flags) {
  return check<Word>(call, at, flags & ~kFlush, 3);
}

template <typename Word>
void write(const char* call, cudaStream_t stream, CUdeviceptr at, Word value) {
  const auto run = [=] {
    standin::reach_write(call, reinterpret_cast<void*>(at), sizeof value);
    __atomic_store_n(flag_at<Word>(call, at), value, __ATOMIC_RELEASE);
  };
  standin::enqueue(face::stream_of(call, stream), Operation{Work::kMarker, run});
}

template <typename Word>
void wait(const char* call, cudaStream_t stream, CUdeviceptr at, Word value, unsigned flags) {
  Word* flag = flag_at<Word>(call, at);
  const unsigned condition = flags & ~kFlush;
  const auto ready = [=] { return value_satisfies<Word>(__atomic_load_n(flag, __ATOMIC_ACQUIRE), value, condition); };
  standin::enqueue(face::stream_of(call, stream), Operation{Work::kWaitValue, nullptr, ready});
}

template <typename Word>
CUresult write_value(const char* call, cudaStream_t stream, CUdeviceptr at, Word value, unsigned flags) {
  enter(call);
  const CUresult error = check_write<Word>(call, at, flags);
  if (error == face::kSuccess) write<Word>(call, stream, at, value);
  return error;
}

template <typename Word>
CUresult wait_value(const char* call, cudaStream_t stream, CUdeviceptr at, Word value, unsigned flags) {
  enter(call);
  const CUresult error = check_wait<Word>(call, at, flags);
  if (error == face::kSuccess) wait<Word>(call, stream, at, value, flags);
  return error;
}

}  // namespace

CUresult cuStreamWriteValue64_v2(cudaStream_t stream, CUdeviceptr at, uint64_t value, unsigned flags) {
  return write_value<uint64_t>("cuStreamWriteValue64", stream, at, value, flags);
}

CUresult cuStreamWaitValue64_v2(cudaStream_t stream, CUdeviceptr at, uint64_t value, unsigned flags) {
  return wait_value<uint64_t>("cuStreamWaitValue64", stream, at, value, flags);
}

#ifdef STANDIN_CUDA13
CUresult cuStreamWriteValue64(cudaStream_t stream, CUdeviceptr at, uint64_t value, unsigned flags) {
  return cuStreamWriteValue64_v2(stream, at, value, flags);
}

CUresult cuStreamWaitValue64(cudaStream_t stream, CUdeviceptr at, uint64_t value, unsigned flags) {
  return cuStreamWaitValue64_v2(stream, at, value, flags);
}

CUresult cuStreamWriteValue32_v2(cudaStream_t stream, CUdeviceptr at, uint32_t value, unsigned flags) {
  return write_value<uint32_t>("cuStreamWriteValue32", stream, at, value, flags);
}

CUresult cuStreamWriteValue32(cudaStream_t stream, CUdeviceptr at, uint32_t value, unsigned flags) {
  return cuStreamWriteValue32_v2(stream, at, value, flags);
}

CUresult cuStreamWaitValue32_v2(cudaStream_t stream, CUdeviceptr at, uint32_t value, unsigned flags) {
  return wait_value<uint32_t>("cuStreamWaitValue32", stream, at, value, flags);
}

CUresult cuStreamWaitValue32(cudaStream_t stream, CUdeviceptr at, uint32_t value, unsigned flags) {
  return cuStreamWaitValue32_v2(stream, at, value, flags);
}

namespace {

constexpr const char* kBatch = "cuStreamBatchMemOp";
constexpr unsigned kMostInABatch = 255;
enum Kind : int { kWait32 = 1, kWrite32 = 2, kFlushWrites = 3, kWait64 = 4, kWrite64 = 5, kBarrier = 6 };

CUresult check(const CUstreamBatchMemOpParams& one) {
  const auto& value = one.value;
  switch (one.operation) {
    case kWait32: return check_wait<uint32_t>(kBatch, value.address, value.flags);
    case kWait64: return check_wait<uint64_t>(kBatch, value.address, value.flags);
    case kWrite32: return check_write<uint32_t>(kBatch, value.address, value.flags);
    case kWrite64: return check_write<uint64_t>(kBatch, value.address, value.flags);
    case kBarrier: return one.barrier.flags > 1 ? face::kInvalidValue : face::kSuccess;
    case kFlushWrites: return face::kNotSupported;  // as measured: attribute 0
    default: return face::kInvalidValue;
  }
}

void enqueue(cudaStream_t stream, const CUstreamBatchMemOpParams& one) {
  const auto& value = one.value;
  switch (one.operation) {
    case kWait32: return wait<uint32_t>(kBatch, stream, value.address, value.value, value.flags);
    case kWait64: return wait<uint64_t>(kBatch, stream, value.address, value.value64, value.flags);
    case kWrite32: return write<uint32_t>(kBatch, stream, value.address, value.value);
    case kWrite64: return write<uint64_t>(kBatch, stream, value.address, value.value64);
    default: return;  // the order of one thread that does them needs no barrier
  }
}

}  // namespace

CUresult cuStreamBatchMemOp_v2(cudaStream_t stream, unsigned count, CUstreamBatchMemOpParams* all, unsigned flags) {
  enter(kBatch);
  if (count > kMostInABatch || flags != 0 || (count != 0 && all == nullptr)) return face::kInvalidValue;
  for (unsigned i = 0; i < count; ++i)
    if (const CUresult error = check(all[i]); error != face::kSuccess) return error;
  for (unsigned i = 0; i < count; ++i) enqueue(stream, all[i]);
  return face::kSuccess;
}

CUresult cuStreamBatchMemOp(cudaStream_t stream, unsigned count, CUstreamBatchMemOpParams* all, unsigned flags) {
  return cuStreamBatchMemOp_v2(stream, count, all, flags);
}
#endif  // STANDIN_CUDA13
#endif  // STANDIN_STREAM_VALUES
