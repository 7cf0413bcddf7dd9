// Streams are queues; the lanes of their device, threads that each do one kind of work, run what may start, the oldest
// first. A copy engine for each direction is a lane, so copies overlap with kernels and with each other.
//
// Channels: a stream gets its channel, round robin, when it is made. A kernel or device-to-device copy may not start
// while an earlier operation at the head of another stream of the same channel is parked, if that one is a wait-value
// or has a kernel queued behind it that is older than ours; a kernel of many steps and a host function count as parked
// while they run. Copies from and to the host ask nothing of a channel.

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <limits>
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
  std::shared_ptr<const std::function<void(Operation)>> sink;
};

namespace {

using Hold = std::unique_lock<std::mutex>;
using StreamPtr = std::shared_ptr<Stream>;

// Each lane of a device is a thread that runs one kind of work: kernels, host functions, copies out, copies in, and all
// that takes no time.
enum Lane : std::size_t { kControl, kKernels, kOut, kIn, kHost, kLanes };

struct Device {
  std::vector<StreamPtr> streams;  // the null stream first
  int next_channel = 0;
  std::array<std::condition_variable, kLanes> lanes;  // told when a stream's head is for it
};

struct Engine {
  std::mutex lock;
  std::condition_variable finished;  // an operation; for callers
  int waiters = 0;
  std::uint64_t age = 0;
  std::deque<Device> devices;
};

thread_local bool inside_host_function = false;

void run_lane(Engine& engine, Device& device, std::size_t lane);

std::size_t lane_of(const Queued& queued) {
  switch (queued.operation.work) {
    case Work::kCompute: return kKernels;
    case Work::kCopyOut: return kOut;
    case Work::kCopyIn: return kIn;
    case Work::kHostFunction: return kHost;
    default: return kControl;
  }
}

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
    for (Device& device : made->devices)
      for (std::size_t lane = 0; lane < kLanes; ++lane)
        std::thread([made, &device, lane] { run_lane(*made, device, lane); }).detach();
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
  const bool runs_on = head.operation.work == Work::kHostFunction || head.operation.step;
  const bool parked = runs_on || !marks_reached(head);
  return parked && has_older_kernel_behind(other, age);
}

bool channel_is_free(const Device& device, const Stream& stream, const Queued& head) {
  if (head.operation.work != Work::kCompute) return true;
  return std::none_of(device.streams.begin(), device.streams.end(), [&](const StreamPtr& other) {
    return other.get() != &stream && other->channel == stream.channel && holds_channel(*other, head.age);
  });
}

void forget_retired(Device& device) {
  std::erase_if(device.streams, [](const StreamPtr& one) { return one->retired && one->queue.empty(); });
}

void wake(Device& device) {
  for (const StreamPtr& stream : device.streams)
    if (!stream->queue.empty()) device.lanes[lane_of(stream->queue.front())].notify_one();
}

// What ended may be what any device or caller waits for.
void finish_head(Engine& engine, Stream& stream) {
  stream.done = stream.queue.front().position;
  stream.queue.pop_front();
  for (Device& device : engine.devices) wake(device);
  engine.finished.notify_all();
  if (stream.retired) forget_retired(engine.devices[static_cast<std::size_t>(stream.device)]);
}

bool may_start(const Device& device, const Stream& stream) {
  const Queued& head = stream.queue.front();
  return marks_reached(head) && channel_is_free(device, stream, head) &&
         (head.operation.work != Work::kWaitValue || head.operation.ready());
}

// The oldest head that this lane may start.
StreamPtr next_of(const Device& device, std::size_t lane) {
  StreamPtr oldest;
  for (const StreamPtr& stream : device.streams) {
    if (stream->queue.empty() || stream->queue.front().started || lane_of(stream->queue.front()) != lane) continue;
    if (oldest && oldest->queue.front().age < stream->queue.front().age) continue;
    if (may_start(device, *stream)) oldest = stream;
  }
  return oldest;
}

// Kernels of many steps that run side by side: a bit of each.
void step_kernels(Engine& engine, std::vector<StreamPtr>& running, Hold& hold) {
  std::erase_if(running, [&](const StreamPtr& stream) {
    const Queued& head = stream->queue.front();  // a deque keeps references to its elements when it grows at the ends
    hold.unlock();
    const bool done = head.operation.step();
    hold.lock();
    if (done) finish_head(engine, *stream);
    return done;
  });
}

// STANDIN_SLOW_KERNELS, _OUT and _IN: microseconds that every kernel, copy to the host and copy to the device takes at
// least, as large ones do. What forgets to wait for one then finds what was there before.
std::chrono::microseconds least_time(Work work) {
  static const std::chrono::microseconds kernels(number_from("STANDIN_SLOW_KERNELS", 0)),
      out(number_from("STANDIN_SLOW_OUT", 0)), in(number_from("STANDIN_SLOW_IN", 0));
  switch (work) {
    case Work::kCompute: return kernels;
    case Work::kCopyOut: return out;
    case Work::kCopyIn: return in;
    default: return {};
  }
}

void start(Engine& engine, const StreamPtr& stream, std::vector<StreamPtr>& running, Hold& hold) {
  Queued& head = stream->queue.front();
  head.started = true;
  if (head.operation.step) {
    running.push_back(stream);
    return;
  }
  if (head.operation.run) {
    hold.unlock();
    const auto least = least_time(head.operation.work);
    if (least.count() != 0) std::this_thread::sleep_for(least);
    head.operation.run();
    hold.lock();
  }
  finish_head(engine, *stream);
}

// The program's CPU writes an awaited value without telling anyone, so a parked wait is polled; so are the steps of a
// kernel, whose peers may be other processes.
bool must_poll(const Device& device, std::size_t lane, const std::vector<StreamPtr>& running) {
  if (!running.empty()) return true;
  return lane == kControl && std::any_of(device.streams.begin(), device.streams.end(), [](const StreamPtr& one) {
           return !one->queue.empty() && one->queue.front().operation.work == Work::kWaitValue;
         });
}

void run_lane(Engine& engine, Device& device, std::size_t lane) {
  inside_host_function = lane == kHost;
  std::vector<StreamPtr> running;
  Hold hold(engine.lock);
  for (;;) {
    if (const StreamPtr stream = next_of(device, lane)) {
      start(engine, stream, running, hold);
      continue;
    }
    const std::size_t before = running.size();
    step_kernels(engine, running, hold);
    if (running.size() != before) continue;
    if (!must_poll(device, lane, running))
      device.lanes[lane].wait(hold);
    else
      device.lanes[lane].wait_for(hold, std::chrono::microseconds(20));
  }
}

void wait_until(Engine& engine, Hold& hold, const std::function<bool()>& done) {
  ++engine.waiters;
  engine.finished.wait(hold, done);
  --engine.waiters;
}

bool is_parked_before_a_kernel(const StreamPtr& stream) {
  return !stream->queue.empty() && stream->queue.front().operation.work == Work::kWaitValue &&
         has_older_kernel_behind(*stream, std::numeric_limits<std::uint64_t>::max());
}

bool has_room(const Device& device) {
  return std::count_if(device.streams.begin(), device.streams.end(), is_parked_before_a_kernel) < kParkedStreams;
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

void become_host_function() { inside_host_function = true; }
bool in_host_function() { return inside_host_function; }
int device_of(const Stream& stream) { return stream.device; }

std::shared_ptr<Stream> make_stream(int device, bool blocking) {
  const Hold hold(engine().lock);
  return add_stream(engine(), device, blocking);
}

void retire(const std::shared_ptr<Stream>& stream) {
  const Hold hold(engine().lock);
  stream->retired = true;
  forget_retired(engine().devices[static_cast<std::size_t>(stream->device)]);
}

std::shared_ptr<Stream> null_stream(int device) {
  const Hold hold(engine().lock);
  return engine().devices[static_cast<std::size_t>(device)].streams.front();
}

Mark enqueue(const std::shared_ptr<Stream>& stream, Operation operation) {
  Engine& all = engine();
  Device& device = all.devices[static_cast<std::size_t>(stream->device)];
  Hold hold(all.lock);
  if (const auto sink = stream->sink) {
    hold.unlock();
    (*sink)(std::move(operation));
    return Mark{};
  }
  if (!has_room(device)) wait_until(all, hold, [&] { return has_room(device); });
  order_with_null_stream(device, stream, operation);
  stream->queue.push_back(Queued{std::move(operation), ++stream->issued, ++all.age, false});
  const Mark mark{stream, stream->issued};
  if (stream->queue.size() == 1) device.lanes[lane_of(stream->queue.front())].notify_one();
  return mark;
}

void divert(const std::shared_ptr<Stream>& stream, std::function<void(Operation)> sink) {
  const Hold hold(engine().lock);
  stream->sink = sink ? std::make_shared<const std::function<void(Operation)>>(std::move(sink)) : nullptr;
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
  if (!reached_locked(mark)) wait_until(engine(), hold, [&] { return reached_locked(mark); });
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

int waiters() {
  const Hold hold(engine().lock);
  return engine().waiters;
}

int streams() {
  const Hold hold(engine().lock);
  std::size_t count = 0;
  for (const Device& device : engine().devices) count += device.streams.size();
  return static_cast<int>(count);
}

}  // namespace standin
