// Graphs and what they own. A launch puts each captured branch on a stream of the graph's own, after the launching
// stream and before what comes next there; a launch follows the one before.

#include "tests/vendors/nvidia/graphs.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "tests/vendors/nvidia/capture.h"
#include "tests/vendors/nvidia/cuda13.h"
#include "tests/vendors/nvidia/handles.h"

using face::answer;
using face::enter;
using standin::Mark;
using standin::Operation;

struct CUgraphExec_st {
  std::mutex lock = {};  // launches
  std::vector<face::Node> nodes = {};
  std::vector<face::StreamPtr> streams = {};
  face::References objects = {};
  Mark last = {};
};

struct CUuserObject_st {
  face::References own = {};  // the program's references
};

namespace {

// One thread that may not call in, for what ends later: the objects of graphs whose launches still run.
struct Undertaker {
  std::mutex lock;
  std::condition_variable more;
  std::deque<std::function<void()>> work;
};

Undertaker& undertaker() {
  static Undertaker* const all = [] {
    auto* made = new Undertaker;
    std::thread([made] {
      standin::become_host_function();
      for (;;) {
        std::unique_lock<std::mutex> hold(made->lock);
        made->more.wait(hold, [&] { return !made->work.empty(); });
        const std::function<void()> next = std::move(made->work.front());
        made->work.pop_front();
        hold.unlock();
        next();
      }
    }).detach();
    return made;
  }();
  return *all;
}

void later(std::function<void()> work) {
  Undertaker& all = undertaker();
  const std::lock_guard<std::mutex> hold(all.lock);
  all.work.push_back(std::move(work));
  all.more.notify_one();
}

constexpr unsigned kNoDestructorSync = 1, kMove = 1;

}  // namespace

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long flags) {
  const char* call = "cudaGraphInstantiate";
  enter(call);
  face::check_handle(call, graph);
  if (flags != 0) return answer(face::kNotSupported);
  *executable = new CUgraphExec_st;
  (*executable)->nodes = graph->nodes;
  (*executable)->objects = graph->objects;
  for (const int device : graph->devices) (*executable)->streams.push_back(standin::make_stream(device, false));
  face::add_handle(*executable);
  return answer(face::kSuccess);
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long flags) {
  return cudaGraphInstantiate(executable, graph, flags);
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t handle) {
  const char* call = "cudaGraphLaunch";
  enter(call);
  face::check_handle(call, executable);
  const auto stream = face::stream_of(call, handle);
  if (face::captured_at(stream).capture) return answer(face::kNotSupported);  // a graph in a graph
  const std::lock_guard<std::mutex> hold(executable->lock);
  const Mark begin = standin::enqueue(stream, Operation{});
  for (const auto& own : executable->streams)
    standin::enqueue(own, Operation{standin::Work::kMarker, nullptr, nullptr, nullptr, {begin, executable->last}});
  std::vector<Mark> marks;
  for (const face::Node& node : executable->nodes) {
    Operation operation = node.operation;
    for (const std::size_t before : node.after) operation.after.push_back(marks[before]);
    marks.push_back(standin::enqueue(executable->streams[node.branch], std::move(operation)));
  }
  executable->last =
      standin::enqueue(stream, Operation{standin::Work::kMarker, nullptr, nullptr, nullptr, std::move(marks)});
  return answer(face::kSuccess);
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  const char* call = "cudaGraphExecDestroy";
  enter(call);
  face::drop_handle(call, executable);
  for (const auto& own : executable->streams) standin::retire(own);
  later([executable] {
    standin::wait(executable->last);
    delete executable;
  });
  return answer(face::kSuccess);
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const char* call = "cudaGraphDestroy";
  enter(call);
  face::drop_handle(call, graph);
  delete graph;
  return answer(face::kSuccess);
}

cudaError_t cudaUserObjectCreate(cudaUserObject_t* object, void* data, void (*destroy)(void*), unsigned references,
                                 unsigned flags) {
  enter("cudaUserObjectCreate");
  if (destroy == nullptr || references == 0 || flags != kNoDestructorSync) return answer(face::kInvalidValue);
  const std::shared_ptr<void> made(data, [destroy](void* gone) { later([=] { destroy(gone); }); });
  *object = new CUuserObject_st{face::References(references, made)};
  face::add_handle(*object);
  return answer(face::kSuccess);
}

cudaError_t cudaUserObjectRetain(cudaUserObject_t object, unsigned count) {
  const char* call = "cudaUserObjectRetain";
  enter(call);
  face::check_handle(call, object);
  const auto one = object->own.front();
  object->own.insert(object->own.end(), count, one);
  return answer(face::kSuccess);
}

// The handle ends with the program's last reference; the object with the last of all.
cudaError_t cudaUserObjectRelease(cudaUserObject_t object, unsigned count) {
  const char* call = "cudaUserObjectRelease";
  enter(call);
  face::check_handle(call, object);
  if (count > object->own.size()) standin::misuse(call, "more references than the program has");
  object->own.resize(object->own.size() - count);
  if (!object->own.empty()) return answer(face::kSuccess);
  face::drop_handle(call, object);
  delete object;
  return answer(face::kSuccess);
}

cudaError_t cudaGraphRetainUserObject(cudaGraph_t graph, cudaUserObject_t object, unsigned count, unsigned flags) {
  const char* call = "cudaGraphRetainUserObject";
  enter(call);
  face::check_handle(call, object);
  if (count == 0 || flags > kMove) return answer(face::kInvalidValue);
  graph->objects.insert(graph->objects.end(), count, object->own.front());
  return flags == kMove ? cudaUserObjectRelease(object, count) : answer(face::kSuccess);
}

cudaError_t cudaGraphReleaseUserObject(cudaGraph_t graph, cudaUserObject_t object, unsigned count) {
  const char* call = "cudaGraphReleaseUserObject";
  enter(call);
  face::check_handle(call, object);
  const auto one = object->own.front();
  for (unsigned i = 0; i < count; ++i) {
    const auto found = std::find(graph->objects.begin(), graph->objects.end(), one);
    if (found == graph->objects.end()) standin::misuse(call, "more references than the graph has");
    graph->objects.erase(found);
  }
  return answer(face::kSuccess);
}
