// What runs in streams. A collective goes chunk by chunk: every rank puts its part of all blocks into its box, waits
// for everybody's, takes what it needs. Messages go chunk by chunk through the box of their pair, all of a group at
// once.

#include <algorithm>
#include <cstring>
#include <list>
#include <memory>

#include "tests/vendors/ccl/comm.h"

namespace standin_ccl {
namespace {

std::size_t index(int rank) { return static_cast<std::size_t>(rank); }

const std::byte* read(const void* at, std::size_t offset, std::size_t bytes) {
  return static_cast<const std::byte*>(
      standin_reach_read("collective", static_cast<const std::byte*>(at) + offset, bytes));
}
std::byte* write(void* at, std::size_t offset, std::size_t bytes) {
  return static_cast<std::byte*>(standin_reach_write("collective", static_cast<std::byte*>(at) + offset, bytes));
}

// One call on its way.
class Running {
 public:
  explicit Running(const Call& call) : call_(call), comm_(*call.comm), element_(size_of(call.type)) {
    chunks_ = std::max<std::size_t>(1, (call.count * element_ + kChunk - 1) / kChunk);
    if (is_message()) return;
    first_ = comm_.collectives;
    comm_.collectives += chunks_;
  }
  bool is_message() const { return call_.kind == Kind::kSend || call_.kind == Kind::kRecv; }
  const Call& call() const { return call_; }
  bool step() {  // true: done
    if (is_message()) return call_.kind == Kind::kSend ? step_send() : step_recv();
    return step_collective();
  }

 private:
  std::size_t bytes_of(std::size_t chunk) const { return std::min(kChunk, call_.count * element_ - chunk * kChunk); }
  std::size_t block_at(int block, std::size_t chunk) const {
    return index(block) * call_.count * element_ + chunk * kChunk;
  }

  int blocks_in() const {
    switch (call_.kind) {
      case Kind::kReduceScatter:
      case Kind::kAllToAll: return comm_.ranks;
      case Kind::kScatter: return comm_.rank == call_.root ? comm_.ranks : 0;
      case Kind::kBroadcast: return comm_.rank == call_.root ? 1 : 0;
      default: return 1;
    }
  }

  bool others_took(const Box& box, std::uint64_t chunk) const {
    for (int r = 0; r < comm_.ranks; ++r)
      if (box.taken[r].load(std::memory_order_acquire) < chunk) return false;
    return true;
  }

  // Puts chunk `put_` of every block into the box.
  bool put() {
    Box& box = comm_.segment->collective[comm_.rank];
    if (!others_took(box, first_ + chunk_)) return false;
    for (int b = 0; b < blocks_in(); ++b)
      std::memcpy(comm_.segment->block(comm_.rank, b), read(call_.in, block_at(b, chunk_), bytes_of(chunk_)),
                  bytes_of(chunk_));
    put_scalar();
    box.filled.store(first_ + chunk_ + 1, std::memory_order_release);
    put_ = true;
    return true;
  }

  void put_scalar() {
    if (!call_.scalar.used) return;
    const void* from = call_.scalar.bytes;
    if (call_.scalar.at != nullptr) from = read(call_.scalar.at, 0, element_);
    std::memcpy(comm_.segment->scalar[comm_.rank], from, element_);
  }

  bool all_filled() const {
    for (int r = 0; r < comm_.ranks; ++r)
      if (comm_.segment->collective[r].filled.load(std::memory_order_acquire) < first_ + chunk_ + 1) return false;
    return true;
  }

  void fold(int block) {
    std::vector<const void*> operands, scalars;
    for (int r = 0; r < comm_.ranks; ++r) {
      operands.push_back(comm_.segment->block(r, block));
      if (call_.scalar.used) scalars.push_back(comm_.segment->scalar[r]);
    }
    reduce(call_.type, call_.op, write(call_.out, chunk_ * kChunk, bytes_of(chunk_)), operands, scalars,
           bytes_of(chunk_) / element_);
  }

  void copy(int from_rank, int from_block, int to_block) {
    std::memcpy(write(call_.out, block_at(to_block, chunk_), bytes_of(chunk_)),
                comm_.segment->block(from_rank, from_block), bytes_of(chunk_));
  }

  void take() {
    const bool root = comm_.rank == call_.root;
    switch (call_.kind) {
      case Kind::kAllReduce: return fold(0);
      case Kind::kReduceScatter: return fold(comm_.rank);
      case Kind::kReduce: return root ? fold(0) : void();
      case Kind::kBroadcast: return copy(call_.root, 0, 0);
      case Kind::kScatter: return copy(call_.root, comm_.rank, 0);
      case Kind::kAllGather:
      case Kind::kGather:
        for (int r = 0; r < comm_.ranks; ++r)
          if (call_.kind == Kind::kAllGather || root) copy(r, 0, r);
        return;
      case Kind::kAllToAll:
        for (int r = 0; r < comm_.ranks; ++r) copy(r, comm_.rank, r);
        return;
      default: return;
    }
  }

  bool step_collective() {
    if (!put_ && !put()) return false;
    if (!all_filled()) return false;
    if (bytes_of(chunk_) != 0) take();
    for (int r = 0; r < comm_.ranks; ++r)
      comm_.segment->collective[r].taken[comm_.rank].store(first_ + chunk_ + 1, std::memory_order_release);
    put_ = false;
    return ++chunk_ == chunks_;
  }

  bool step_send() {
    Box& box = comm_.segment->pair[comm_.rank][call_.root];
    std::uint64_t& sent = comm_.sent[call_.root];
    if (box.taken[call_.root].load(std::memory_order_acquire) < sent) return false;
    const std::size_t bytes = bytes_of(chunk_);
    if (bytes != 0)
      std::memcpy(comm_.segment->message(comm_.rank, call_.root), read(call_.in, chunk_ * kChunk, bytes), bytes);
    box.filled.store(++sent, std::memory_order_release);
    return ++chunk_ == chunks_;
  }

  bool step_recv() {
    Box& box = comm_.segment->pair[call_.root][comm_.rank];
    std::uint64_t& received = comm_.received[call_.root];
    if (box.filled.load(std::memory_order_acquire) <= received) return false;
    const std::size_t bytes = bytes_of(chunk_);
    if (bytes != 0)
      std::memcpy(write(call_.out, chunk_ * kChunk, bytes), comm_.segment->message(call_.root, comm_.rank), bytes);
    box.taken[comm_.rank].store(++received, std::memory_order_release);
    return ++chunk_ == chunks_;
  }

  Call call_;
  ncclComm& comm_;
  std::size_t element_;
  std::size_t chunks_ = 1, chunk_ = 0;
  std::uint64_t first_ = 0;  // chunk of the communicator's collectives
  bool put_ = false;
};

struct Kernel {
  ncclComm* comm;
  std::deque<Running> collectives;
  std::list<Running> messages;

  // Messages of one pair and direction one after another, all pairs at once.
  bool is_first(std::list<Running>::iterator message) {
    return std::none_of(messages.begin(), message, [&](const Running& earlier) {
      return earlier.call().kind == message->call().kind && earlier.call().root == message->call().root;
    });
  }
  bool step_messages() {
    for (auto message = messages.begin(); message != messages.end();)
      message = is_first(message) && message->step() ? messages.erase(message) : std::next(message);
    return messages.empty();
  }
  bool step() {
    if (comm->aborted || comm->revoked) return true;
    while (!collectives.empty() && collectives.front().step()) collectives.pop_front();
    return step_messages() && collectives.empty();
  }
};

int step(void* state) {
  auto* kernel = static_cast<Kernel*>(state);
  if (!kernel->step()) return 0;
  ncclComm* comm = kernel->comm;
  delete kernel;
  comm->running.fetch_sub(1);  // last: whoever ends the communicator waits for it
  return 1;
}

// The kernel runs in the stream of the first call; the other streams come before and after it.
ncclResult_t launch_one(ncclComm* comm, const std::vector<Call>& calls) {
  auto kernel = std::make_unique<Kernel>();
  kernel->comm = comm;
  std::vector<cudaStream_t> streams;
  for (const Call& call : calls) {
    if (call.comm != comm) continue;
    if (std::find(streams.begin(), streams.end(), call.stream) == streams.end()) streams.push_back(call.stream);
    Running running(call);
    if (running.is_message()) {
      kernel->messages.push_back(running);
    } else {
      kernel->collectives.push_back(running);
    }
  }
  int before = 0;
  cudaGetDevice(&before);
  cudaSetDevice(comm->device);
  const cudaStream_t first = streams.front();
  cudaStreamWaitEvent(first, comm->last, 0);
  for (std::size_t i = 1; i < streams.size(); ++i) {
    cudaEventRecord(comm->last, streams[i]);
    cudaStreamWaitEvent(first, comm->last, 0);
  }
  comm->running.fetch_add(1);
  standin_launch_steps(step, kernel.release(), first);
  cudaEventRecord(comm->last, first);
  for (std::size_t i = 1; i < streams.size(); ++i) cudaStreamWaitEvent(streams[i], comm->last, 0);
  cudaSetDevice(before);
  return ncclSuccess;
}

// One rank alone, as the real library: a collective is a copy in the caller's stream, in place nothing at all. So it
// can be captured.
bool is_copy(const Call& call) {
  const bool message = call.kind == Kind::kSend || call.kind == Kind::kRecv;
  return call.comm->ranks == 1 && !message && !call.scalar.used;
}

ncclResult_t copy_alone(const Call& call) {
  constexpr int kOnDevice = 3;
  const std::size_t bytes = call.count * size_of(call.type);
  if (call.in == call.out || bytes == 0) return ncclSuccess;
  return cudaMemcpyAsync(call.out, call.in, bytes, kOnDevice, call.stream) == face::kSuccess ? ncclSuccess
                                                                                             : ncclUnhandledCudaError;
}

bool all_copies(ncclComm* comm, const std::vector<Call>& calls) {
  return std::all_of(calls.begin(), calls.end(), [&](const Call& call) { return call.comm != comm || is_copy(call); });
}

ncclResult_t launch_copies(ncclComm* comm, const std::vector<Call>& calls) {
  for (const Call& call : calls)
    if (call.comm == comm)
      if (const ncclResult_t copied = copy_alone(call); copied != ncclSuccess) return copied;
  return ncclSuccess;
}

}  // namespace

ncclResult_t launch(const std::vector<Call>& calls) {
  std::vector<ncclComm*> comms;
  for (const Call& call : calls) {
    if (std::find(comms.begin(), comms.end(), call.comm) == comms.end()) comms.push_back(call.comm);
    counters().calls[static_cast<std::size_t>(call.kind)].fetch_add(1);
    counters().bytes.fetch_add(call.count * size_of(call.type));
  }
  for (ncclComm* comm : comms) {
    const ncclResult_t launched = all_copies(comm, calls) ? launch_copies(comm, calls) : launch_one(comm, calls);
    if (launched != ncclSuccess) return launched;
  }
  return ncclSuccess;
}

}  // namespace standin_ccl
