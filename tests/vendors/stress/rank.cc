#include "tests/vendors/stress/rank.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace stress {
namespace {

constexpr unsigned kNonBlocking = 1, kUntimed = 2;
constexpr int kToDevice = 1, kToHost = 2, kWithin = 3;
constexpr std::size_t kNull = 0, kOwn = 1, kFirstMade = 2, kBlocking = 2;

ncclRedOp_t operation(Fold fold) { return fold == Fold::kSum ? ncclSum : fold == Fold::kMax ? ncclMax : ncclMin; }

// The null stream and the streams that block wait for each other.
bool ordered_by_itself(std::size_t a, std::size_t b) {
  return a == b || (a == kNull && b <= kBlocking) || (b == kNull && a <= kBlocking);
}

void good(int error, const char* what, const std::string& where) {
  EXPECT_EQ(error, 0) << what << ", " << where << ": " << ncclGetLastError(nullptr);
}

}  // namespace

#define GOOD(...) good(static_cast<int>(__VA_ARGS__), #__VA_ARGS__, where())

Rank::Rank(const Program& program, std::size_t rank, Place place)
    : program_(program), rank_(rank), place_(place), device_(place.device) {}

Rank::~Rank() = default;

std::string Rank::where() const {
  return "rank " + std::to_string(rank_) + " (" +
         (device_ == nullptr ? std::string("cpu") : device_->vendor + std::to_string(place_.number)) + "), step " +
         std::to_string(at_step_);
}

std::int32_t* Rank::at(std::size_t buffer, std::size_t element) const {
  return static_cast<std::int32_t*>(memory_[buffer]) + element;
}

void Rank::run(const ncclUniqueId& id) {
  open(id);
  for (at_step_ = 0; at_step_ < program_.steps.size(); ++at_step_) {
    const Step& step = program_.steps[at_step_];
    if (step.act == Act::kCalls) {
      run_calls(step);
    } else if (step.rank == rank_) {
      run_own(step);
    }
  }
  close();
}

void Rank::open(const ncclUniqueId& id) {
  if (device_ != nullptr) {
    GOOD(device_->set_device(place_.number));
    streams_[kOwn] = reinterpret_cast<cudaStream_t>(std::uintptr_t{2});
    for (std::size_t s = kFirstMade; s < kStreams; ++s)
      GOOD(device_->create_stream(&streams_[s], s == kBlocking ? 0 : kNonBlocking));
    for (cudaEvent_t& event : events_) GOOD(device_->create_event(&event, kUntimed));
    for (void*& buffer : memory_) GOOD(device_->allocate(&buffer, bytes()));
    // With one channel the first launch would wait for what other ranks have yet to do.
    GOOD(device_->fill(memory_[0], 0, 1, face::kInt32, nullptr));
  } else {
    plain_.assign(kBuffers, Values(program_.elements));
    for (std::size_t b = 0; b < kBuffers; ++b) memory_[b] = plain_[b].data();
  }
  comms_.resize(program_.comms.size());
  GOOD(ncclCommInitRank(&comms_[0], static_cast<int>(program_.ranks), id, static_cast<int>(rank_)));
  for (std::size_t c = 1; c < comms_.size(); ++c) {
    const int key = program_.comms[c].keys[rank_];
    GOOD(ncclCommSplit(comms_[0], key < 0 ? NCCL_SPLIT_NOCOLOR : 0, key, &comms_[c], nullptr));
  }
}

void Rank::close() {
  if (device_ != nullptr) {
    for (cudaStream_t stream : streams_) GOOD(device_->synchronize(stream));
  }
  EXPECT_EQ(host_calls_.load(), hosted_) << where();
  for (std::size_t c = comms_.size(); c-- > 0;)
    if (comms_[c] != nullptr) GOOD(ncclCommDestroy(comms_[c]));
  if (device_ == nullptr) return;
  for (void* buffer : memory_) GOOD(device_->release(buffer));
  for (cudaEvent_t event : events_) GOOD(device_->destroy_event(event));
  for (std::size_t s = kFirstMade; s < kStreams; ++s) GOOD(device_->destroy_stream(streams_[s]));
}

void Rank::order(std::size_t before, std::size_t after) {
  if (ordered_by_itself(before, after)) return;
  const cudaEvent_t event = events_[next_event_++ % kEvents];
  GOOD(device_->record(event, streams_[before]));
  GOOD(device_->wait(streams_[after], event, 0));
}

void Rank::enter(std::size_t buffer, std::size_t stream) {
  if (device_ == nullptr) return;
  for (std::size_t before : last_[buffer]) order(before, stream);
}

void Rank::leave(const std::vector<std::pair<std::size_t, std::size_t>>& touched) {
  for (const auto& [buffer, stream] : touched) last_[buffer].clear();
  for (const auto& [buffer, stream] : touched) last_[buffer].push_back(stream);
}

void Rank::run_own(const Step& step) {
  switch (step.act) {
    case Act::kUpload: return upload(step);
    case Act::kRenew: return renew(step);
    case Act::kCheck: return check(step);
    case Act::kFill: return fill(step);
    case Act::kFold: return fold(step);
    case Act::kCopy: return copy(step);
    case Act::kHostFunction: return call_host(step);
    case Act::kSynchronize:
      if (device_ != nullptr) GOOD(device_->synchronize(streams_[step.stream]));
      return;
    case Act::kCalls: return;
  }
}

void Rank::upload(const Step& step) {
  enter(step.to, step.stream);
  if (device_ == nullptr) {
    plain_[step.to] = step.values;
    memory_[step.to] = plain_[step.to].data();
    return;
  }
  GOOD(device_->copy(memory_[step.to], step.values.data(), bytes(), kToDevice, streams_[step.stream]));
  leave({{step.to, step.stream}});
}

// Freeing waits for all of the device's work, which no later step of another rank may hold up: that is so.
void Rank::renew(const Step& step) {
  if (device_ != nullptr) {
    GOOD(device_->release(memory_[step.to]));
    GOOD(device_->allocate(&memory_[step.to], bytes()));
    last_[step.to].clear();
  }
  upload(step);
}

void Rank::check(const Step& step) {
  Values got(program_.elements);
  enter(step.from, step.stream);
  if (device_ == nullptr) {
    got = plain_[step.from];
  } else {
    GOOD(device_->copy(got.data(), memory_[step.from], bytes(), kToHost, streams_[step.stream]));
    leave({{step.from, step.stream}});
    GOOD(device_->synchronize(streams_[step.stream]));
  }
  const auto [here, there] = std::mismatch(got.begin(), got.end(), step.values.begin());
  if (here == got.end()) return;
  ADD_FAILURE() << where() << ": element " << here - got.begin() << " of buffer " << step.from << " is " << *here
                << ", not " << *there;
}

void Rank::fill(const Step& step) {
  enter(step.to, step.stream);
  if (device_ == nullptr) return void(std::fill(plain_[step.to].begin(), plain_[step.to].end(), step.value));
  GOOD(device_->fill(memory_[step.to], step.value, program_.elements, face::kInt32, streams_[step.stream]));
  leave({{step.to, step.stream}});
}

void Rank::fold(const Step& step) {
  enter(step.to, step.stream);
  enter(step.from, step.stream);
  if (device_ == nullptr) {
    const auto two = [&](std::int32_t a, std::int32_t b) {
      return step.fold == Fold::kSum ? a + b : step.fold == Fold::kMax ? std::max(a, b) : std::min(a, b);
    };
    std::transform(plain_[step.to].begin(), plain_[step.to].end(), plain_[step.from].begin(), plain_[step.to].begin(),
                   two);
    return;
  }
  const int number = step.fold == Fold::kSum ? face::kSum : step.fold == Fold::kMax ? face::kMaximum : face::kMinimum;
  GOOD(device_->fold(memory_[step.to], memory_[step.from], program_.elements, face::kInt32, number,
                     streams_[step.stream]));
  leave({{step.to, step.stream}, {step.from, step.stream}});
}

// By a kernel or by the runtime's copy, as the stream's number is even or odd.
void Rank::copy(const Step& step) {
  enter(step.to, step.stream);
  enter(step.from, step.stream);
  if (device_ == nullptr) return void(std::memcpy(memory_[step.to], memory_[step.from], bytes()));
  const cudaStream_t stream = streams_[step.stream];
  if (step.stream % 2 == 0) {
    GOOD(device_->copy_by_kernel(memory_[step.to], memory_[step.from], program_.elements, face::kInt32, stream));
  } else {
    GOOD(device_->copy(memory_[step.to], memory_[step.from], bytes(), kWithin, stream));
  }
  leave({{step.to, step.stream}, {step.from, step.stream}});
}

void Rank::call_host(const Step& step) {
  if (device_ == nullptr) return;
  ++hosted_;
  const auto count = [](void* calls) { ++*static_cast<std::atomic<std::size_t>*>(calls); };
  GOOD(device_->call_host(streams_[step.stream], count, &host_calls_));
}

void Rank::run_calls(const Step& step) {
  const std::vector<Issue>& issues = step.issues[rank_];
  std::vector<std::pair<std::size_t, std::size_t>> touched;
  for (const Issue& one : issues) {
    const Call& call = step.calls[one.call];
    const Part& part = call.parts[static_cast<std::size_t>(program_.comms[call.comm].keys[rank_])];
    for (std::size_t buffer : {part.in, part.out}) {
      enter(buffer, part.stream);
      touched.emplace_back(buffer, part.stream);
    }
  }
  if (issues.empty()) return;
  if (step.grouped) GOOD(ncclGroupStart());
  for (const Issue& one : issues) issue(step.calls[one.call], one.receives);
  if (step.grouped) GOOD(ncclGroupEnd());
  leave(touched);
}

void Rank::issue(const Call& call, bool receives) {
  const Part& part = call.parts[static_cast<std::size_t>(program_.comms[call.comm].keys[rank_])];
  const std::int32_t* in = at(part.in, part.in_at);
  std::int32_t* out = at(part.out);
  const ncclRedOp_t op = operation(call.fold);
  const int root = static_cast<int>(call.root);
  ncclComm_t comm = comms_[call.comm];
  const cudaStream_t stream = streams_[part.stream];
  switch (call.kind) {
    case Kind::kAllReduce: return GOOD(ncclAllReduce(in, out, call.count, ncclInt32, op, comm, stream));
    case Kind::kReduce: return GOOD(ncclReduce(in, out, call.count, ncclInt32, op, root, comm, stream));
    case Kind::kBroadcast: return GOOD(ncclBroadcast(in, out, call.count, ncclInt32, root, comm, stream));
    case Kind::kReduceScatter: return GOOD(ncclReduceScatter(in, out, call.count, ncclInt32, op, comm, stream));
    case Kind::kAllGather: return GOOD(ncclAllGather(in, out, call.count, ncclInt32, comm, stream));
    case Kind::kAllToAll: return GOOD(ncclAlltoAll(in, out, call.count, ncclInt32, comm, stream));
    case Kind::kGather: return GOOD(ncclGather(in, out, call.count, ncclInt32, root, comm, stream));
    case Kind::kScatter: return GOOD(ncclScatter(in, out, call.count, ncclInt32, root, comm, stream));
    case Kind::kMessage:
      if (receives) return GOOD(ncclRecv(out, call.count, ncclInt32, root, comm, stream));
      return GOOD(ncclSend(in, call.count, ncclInt32, static_cast<int>(call.peer), comm, stream));
  }
}

}  // namespace stress
