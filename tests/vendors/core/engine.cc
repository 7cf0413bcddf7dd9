// Streams are queues; one thread per device runs what may start, one thread per device runs its host functions.
//
// Channels: a stream gets its channel, round robin, when it is made. A kernel or device-to-device copy may not start
// while an earlier operation at the head of another stream of the same channel is parked, if that one is a wait-value
// or has a kernel queued behind it that is older than ours. Copies from and to the host ask nothing of a channel.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "tests/vendors/core/core.h"

namespace standin {

struct Queued {
  Operation operation;
  std::uint64_t position = 0;  // in its stream
  std::uint64_t age = 0;       // in the process
  bool started = false;
};

struct Stream {
  int device = 0;
  int channel = 0;
  bool blocking = true;
  bool retired = false;
  std::uint64_t issued = 0;
  std::uint64_t done = 0;
  std::deque<Queued> queue;
};

namespace {

using Hold = std::unique_lock<std::mutex>;
using StreamPtr = std::shared_ptr<Stream>;

struct Device {
  std::vector<StreamPtr> streams;  // the null stream first
  std::deque<StreamPtr> host;      // whose head is a host function that may run
  int next_channel = 0;
};

struct Engine {
  std::mutex lock;
  std::condition_variable changed;
  std::uint64_t age = 0;
  std::vector<Device> devices;
};

thread_local bool inside_host_function = false;

void run_device(Engine& engine, int index);
void run_host_functions(Engine& engine, int index);

StreamPtr add_stream(Engine& engine, int device, bool blocking) {
  auto stream = std::make_shared<Stream>();
  Device& owner = engine.devices[static_cast<std::size_t>(device)];
  stream->device = device;
  stream->blocking = blocking;
  stream->channel = owner.next_channel++ % channels();
  owner.streams.push_back(stream);
  return stream;
}

Engine& engine() {
  static Engine* const all = [] {
    auto* made = new Engine;
    made->devices.resize(static_cast<std::size_t>(device_count()));
    for (int device = 0; device < device_count(); ++device) add_stream(*made, device, true);
    for (int device = 0; device < device_count(); ++device) {
      std::thread([made, device] { run_device(*made, device); }).detach();
      std::thread([made, device] { run_host_functions(*made, device); }).detach();
    }
    return made;
  }();
  return *all;
}

bool reached_locked(const Mark& mark) { return mark.stream == nullptr || mark.stream->done >= mark.position; }

bool marks_reached(const Queued& queued) {
  return std::all_of(queued.operation.after.begin(), queued.operation.after.end(), reached_locked);
}

bool has_older_kernel_behind(const Stream& stream, std::uint64_t age) {
  return std::any_of(stream.queue.begin() + 1, stream.queue.end(),
                     [age](const Queued& one) { return one.operation.work == Work::kCompute && one.age < age; });
}

bool holds_channel(const Stream& other, std::uint64_t age) {
  if (other.queue.empty() || other.queue.front().age > age) return false;
  const Queued& head = other.queue.front();
  if (head.operation.work == Work::kWaitValue) return true;
  const bool parked = head.operation.work == Work::kHostFunction || !marks_reached(head);
  return parked && has_older_kernel_behind(other, age);
}

bool channel_is_free(const Device& device, const Stream& stream, const Queued& head) {
  if (head.operation.work != Work::kCompute) return true;
  return std::none_of(device.streams.begin(), device.streams.end(), [&](const StreamPtr& other) {
    return other.get() != &stream && other->channel == stream.channel && holds_channel(*other, head.age);
  });
}

void finish_head(Engine& engine, Stream& stream) {
  stream.done = stream.queue.front().position;
  stream.queue.pop_front();
  engine.changed.notify_all();
}

// A kernel that runs beside others: a bit of it.
bool step_head(Engine& engine, const StreamPtr& stream, Hold& hold) {
  const Queued& head = stream->queue.front();
  hold.unlock();
  const bool done = head.operation.step();
  hold.lock();
  if (done) finish_head(engine, *stream);
  return done;
}

// Starts the head if it may. True: something changed.
bool try_head(Engine& engine, Device& device, const StreamPtr& stream, Hold& hold) {
  Queued& head = stream->queue.front();
  if (head.started && head.operation.step) return step_head(engine, stream, hold);
  if (head.started || !marks_reached(head) || !channel_is_free(device, *stream, head)) return false;
  if (head.operation.work == Work::kWaitValue && !head.operation.ready()) return false;
  head.started = true;
  if (head.operation.work == Work::kHostFunction) {
    device.host.push_back(stream);
    engine.changed.notify_all();
    return true;
  }
  if (head.operation.step) return true;
  if (head.operation.run) {  // a deque keeps references to its elements when it grows at the ends
    hold.unlock();
    head.operation.run();
    hold.lock();
  }
  finish_head(engine, *stream);
  return true;
}

bool must_be_polled(const Device& device) {
  return std::any_of(device.streams.begin(), device.streams.end(), [](const StreamPtr& one) {
    if (one->queue.empty()) return false;
    const Queued& head = one->queue.front();
    return head.operation.work == Work::kWaitValue || (head.started && head.operation.step);
  });
}

void run_device(Engine& engine, int index) {
  Hold hold(engine.lock);
  Device& device = engine.devices[static_cast<std::size_t>(index)];
  for (;;) {
    bool moved = false;
    const std::vector<StreamPtr> streams = device.streams;  // others add streams while an operation runs
    for (const StreamPtr& stream : streams)
      if (!stream->queue.empty()) moved = try_head(engine, device, stream, hold) || moved;
    std::erase_if(device.streams, [](const StreamPtr& one) { return one->retired && one->queue.empty(); });
    if (moved) continue;
    // The program's CPU writes the awaited value without telling anyone, so a parked wait is polled; and a kernel's
    // peers are other processes.
    if (must_be_polled(device))
      engine.changed.wait_for(hold, std::chrono::microseconds(20));
    else
      engine.changed.wait(hold);
  }
}

void run_host_functions(Engine& engine, int index) {
  inside_host_function = true;
  Hold hold(engine.lock);
  Device& device = engine.devices[static_cast<std::size_t>(index)];
  for (;;) {
    engine.changed.wait(hold, [&] { return !device.host.empty(); });
    const StreamPtr stream = device.host.front();
    device.host.pop_front();
    const Queued& head = stream->queue.front();
    hold.unlock();
    head.operation.run();
    hold.lock();
    finish_head(engine, *stream);
  }
}

// The null stream comes after all blocking streams of its device, and they come after it.
void order_with_null_stream(const Device& device, const StreamPtr& stream, Operation& operation) {
  const StreamPtr& null = device.streams.front();
  if (stream != null) {
    if (stream->blocking) operation.after.push_back(Mark{null, null->issued});
    return;
  }
  for (const StreamPtr& other : device.streams)
    if (other != null && other->blocking) operation.after.push_back(Mark{other, other->issued});
}

}  // namespace

int channels() {
  static const int count = std::clamp(face_channels(), 1, 32);
  return count;
}

bool in_host_function() { return inside_host_function; }
int device_of(const Stream& stream) { return stream.device; }

std::shared_ptr<Stream> make_stream(int device, bool blocking) {
  const Hold hold(engine().lock);
  return add_stream(engine(), device, blocking);
}

void retire(const std::shared_ptr<Stream>& stream) {
  const Hold hold(engine().lock);
  stream->retired = true;
  engine().changed.notify_all();
}

std::shared_ptr<Stream> null_stream(int device) {
  const Hold hold(engine().lock);
  return engine().devices[static_cast<std::size_t>(device)].streams.front();
}

Mark enqueue(const std::shared_ptr<Stream>& stream, Operation operation) {
  Engine& all = engine();
  const Hold hold(all.lock);
  order_with_null_stream(all.devices[static_cast<std::size_t>(stream->device)], stream, operation);
  stream->queue.push_back(Queued{std::move(operation), ++stream->issued, ++all.age, false});
  all.changed.notify_all();
  return Mark{stream, stream->issued};
}

Mark last(const std::shared_ptr<Stream>& stream) {
  const Hold hold(engine().lock);
  return Mark{stream, stream->issued};
}

bool reached(const Mark& mark) {
  const Hold hold(engine().lock);
  return reached_locked(mark);
}

void wait(const Mark& mark) {
  Hold hold(engine().lock);
  engine().changed.wait(hold, [&] { return reached_locked(mark); });
}

void wait_device(int device) {
  std::vector<Mark> marks;
  {
    const Hold hold(engine().lock);
    for (const StreamPtr& stream : engine().devices[static_cast<std::size_t>(device)].streams)
      marks.push_back(Mark{stream, stream->issued});
  }
  for (const Mark& mark : marks) wait(mark);
}

}  // namespace standin
