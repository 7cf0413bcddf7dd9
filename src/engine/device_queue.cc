#include "engine/device_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>

namespace amalgam::engine {
namespace {

constexpr std::size_t kWordsAtOnce = 512;                // one page
constexpr std::size_t kBudget = std::size_t{128} << 20;  // pinned bytes of the process, while that is possible

struct All {
  std::mutex mutex;
  std::map<std::pair<const device::Runtime*, int>, std::unique_ptr<DeviceQueue>> queues;
  std::size_t pinned = 0;
};
All& all() {
  static auto* instance = new All;  // never destroyed: see the header
  return *instance;
}

// Halves what is wanted until it fits into the budget.
std::size_t fitting(std::size_t wanted, std::size_t needed, std::size_t used) {
  std::size_t bytes = wanted;
  while (bytes / 2 >= needed && used + bytes > kBudget) bytes /= 2;
  return bytes;
}

}  // namespace

Result<DeviceQueue*> DeviceQueue::of(const device::Runtime& runtime, int device) {
  const std::lock_guard lock(all().mutex);
  std::unique_ptr<DeviceQueue>& queue = all().queues[{&runtime, device}];
  if (queue != nullptr) return queue.get();
  std::unique_ptr<DeviceQueue> made(new DeviceQueue(runtime, device));
  AMALGAM_TRY(made->prepare());
  queue = std::move(made);
  return queue.get();
}

Status DeviceQueue::prepare() {
  const device::Capabilities& can = runtime_.capabilities();
  if (!can.wait_value && !can.host_function)
    return Status(Code::kDevice,
                  fmt::format("{} can neither wait for a word nor call the host in a stream, so it cannot "
                              "take part in a communicator over several islands",
                              runtime_.path()));
  const device::Visit visit(runtime_, device_);
  AMALGAM_TRY(visit.status());
  for (std::unique_ptr<CopyQueue>* queue : {&up_, &down_}) {
    Result<std::uint64_t*> word = take_words(1);
    if (!word) return word.status();
    Result<CopyQueue> made = CopyQueue::create(runtime_, *word);
    if (!made) return made.status();
    *queue = std::make_unique<CopyQueue>(made.take());
  }
  if (can.wait_value) return {};
  Result<device::Event> event = runtime_.create_event();
  if (event) parked_ = *event;
  return event.status();
}

Result<std::uint64_t*> DeviceQueue::take_words(std::size_t count) {
  if (words_left_ < count) {
    Result<void*> page = runtime_.allocate_pinned(kWordsAtOnce * sizeof(std::uint64_t));
    if (!page) return page.status();
    std::memset(*page, 0, kWordsAtOnce * sizeof(std::uint64_t));
    words_ = static_cast<std::uint64_t*>(*page);
    words_left_ = kWordsAtOnce;
  }
  std::uint64_t* taken = words_;
  words_ += count;
  words_left_ -= count;
  return taken;
}

Result<Gate*> DeviceQueue::take_gate() {
  const std::lock_guard lock(mutex_);
  if (gates_.empty()) {
    Result<std::uint64_t*> words = take_words(2);
    if (!words) return words.status();
    Result<Gate*> made = Gate::create(runtime_, *words);
    if (!made) return made;
    gates_.push_back(*made);
  }
  Gate* gate = gates_.back();
  gates_.pop_back();
  gate->arm();
  return gate;
}

void DeviceQueue::release_gate(Gate* gate) {
  if (!gate->release()) return;
  const std::lock_guard lock(mutex_);
  gates_.push_back(gate);
}

Status DeviceQueue::wait(Gate& gate, device::Stream stream) {
  const std::lock_guard lock(mutex_);  // two threads' host functions must be chained one after the other
  return gate.wait(stream, parked_);
}

Result<DeviceQueue::Staging> DeviceQueue::take_staging(std::size_t wanted, std::size_t needed) {
  const std::lock_guard lock(mutex_);
  const auto largest = std::max_element(staging_.begin(), staging_.end(),
                                        [](const Staging& a, const Staging& b) { return a.bytes < b.bytes; });
  if (largest != staging_.end() && largest->bytes >= needed) {
    const Staging kept = *largest;
    staging_.erase(largest);
    return kept;
  }
  const std::lock_guard budget(all().mutex);
  const std::size_t bytes = fitting(wanted, needed, all().pinned);
  Result<void*> memory = runtime_.allocate_pinned(bytes);
  if (!memory) return memory.status();
  all().pinned += bytes;
  return Staging{static_cast<std::byte*>(*memory), bytes};
}

void DeviceQueue::give_staging(Staging staging) {
  if (staging.base == nullptr) return;
  const std::lock_guard lock(mutex_);
  staging_.push_back(staging);
}

Result<std::byte*> DeviceQueue::take_scratch(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (!scratch_.empty()) {
    std::byte* kept = scratch_.back();
    scratch_.pop_back();
    return kept;
  }
  Result<void*> made = runtime_.allocate(bytes);
  return made ? Result<std::byte*>(static_cast<std::byte*>(*made)) : Result<std::byte*>(made.status());
}

void DeviceQueue::give_scratch(std::byte* scratch) {
  const std::lock_guard lock(mutex_);
  scratch_.push_back(scratch);
}

Status DeviceQueue::enter_engine() {
  thread_local const DeviceQueue* entered = nullptr;
  if (entered == this) return {};
  AMALGAM_TRY(runtime_.set_device(device_));
  Result<int> mode = runtime_.exchange_capture_mode(device::Runtime::kRelaxedCapture);
  if (!mode) return mode.status();
  entered = this;
  return {};
}

}  // namespace amalgam::engine
