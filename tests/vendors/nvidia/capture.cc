// Capture: between its begin and its end, a stream's operations become the nodes of a graph and none runs. Other
// streams come in by waiting for an event of it and go out as the first stream waits for one of theirs.

#include "tests/vendors/nvidia/capture.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>

#include "tests/vendors/nvidia/cuda13.h"
#include "tests/vendors/nvidia/graphs.h"
#include "tests/vendors/nvidia/handles.h"

using face::answer;
using face::enter;

namespace face {

enum Mode : int { kGlobal = 0, kThreadLocal = 1, kRelaxed = 2 };

struct Capture {
  unsigned long long id = 0;
  int mode = kGlobal;
  std::thread::id thread;
  StreamPtr origin;
  bool broken = false;
  bool ended = false;
  CUgraph_st* graph = nullptr;
};

namespace {

struct Branch {
  std::shared_ptr<Capture> capture;
  std::size_t number = 0;
  std::vector<std::size_t> tails = {};    // the nodes that the next one comes after
  std::vector<const void*> handles = {};  // of the tails, as last told
};

struct Captures {
  std::mutex lock;
  unsigned long long last_id = 0;
  std::map<StreamPtr, Branch> branches;
  std::vector<std::shared_ptr<Capture>> active;
};

Captures& captures() {
  static auto* const all = new Captures;
  return *all;
}

thread_local int thread_mode = kGlobal;

void add_node(const StreamPtr& stream, standin::Operation operation) {
  Captures& all = captures();
  const std::lock_guard<std::mutex> hold(all.lock);
  const auto found = all.branches.find(stream);
  if (found == all.branches.end())
    standin::misuse("capture", "a stream used by one thread while another ends its capture");
  Branch& branch = found->second;
  std::vector<Node>& nodes = branch.capture->graph->nodes;
  nodes.push_back(Node{std::move(operation), branch.number, branch.tails});
  branch.tails = {nodes.size() - 1};
}

void add_branch(Captures& all, const StreamPtr& stream, const std::shared_ptr<Capture>& capture,
                const std::vector<std::size_t>& tails) {
  all.branches[stream] = Branch{capture, capture->graph->devices.size(), tails};
  capture->graph->devices.push_back(standin::device_of(*stream));
  standin::divert(stream, [key = std::weak_ptr(stream)](standin::Operation operation) {
    if (const StreamPtr same = key.lock()) add_node(same, std::move(operation));
  });
}

bool is_joined(const Captures& all, const std::shared_ptr<Capture>& capture) {
  const std::vector<Node>& nodes = capture->graph->nodes;
  std::vector<bool> seen(nodes.size(), false);
  for (const std::size_t tail : all.branches.at(capture->origin).tails) seen[tail] = true;
  for (std::size_t i = nodes.size(); i-- > 0;)
    if (seen[i])
      for (const std::size_t before : nodes[i].after) seen[before] = true;
  return std::all_of(all.branches.begin(), all.branches.end(), [&](const auto& one) {
    const Branch& branch = one.second;
    return branch.capture != capture ||
           std::all_of(branch.tails.begin(), branch.tails.end(), [&](std::size_t tail) { return seen[tail]; });
  });
}

int outcome(const Captures& all, const std::shared_ptr<Capture>& capture) {
  if (capture->broken) return kCaptureInvalidated;
  if (!is_joined(all, capture)) return kCaptureUnjoined;
  return kSuccess;
}

void end(Captures& all, const std::shared_ptr<Capture>& capture) {
  std::erase_if(all.branches, [&](const auto& one) {
    if (one.second.capture != capture) return false;
    standin::divert(one.first, nullptr);
    return true;
  });
  std::erase(all.active, capture);
  capture->ended = true;
}

// `error` when the stream is being captured, which then cannot end well.
int break_if_capturing(const StreamPtr& stream, int error) {
  Captures& all = captures();
  const std::lock_guard<std::mutex> hold(all.lock);
  const auto found = all.branches.find(stream);
  if (found == all.branches.end()) return kSuccess;
  found->second.capture->broken = true;
  return error;
}

}  // namespace

int unsafe_call() {
  Captures& all = captures();
  const std::lock_guard<std::mutex> hold(all.lock);
  if (thread_mode == kRelaxed) return kSuccess;
  int error = kSuccess;
  for (const auto& capture : all.active) {
    const bool own = capture->thread == std::this_thread::get_id() && capture->mode != kRelaxed;
    if (!own && (thread_mode != kGlobal || capture->mode != kGlobal)) continue;
    capture->broken = true;
    error = kCaptureUnsupported;
  }
  return error;
}

int use_outside_capture(const StreamPtr& stream) { return break_if_capturing(stream, kCaptureUnsupported); }

Captured captured_at(const StreamPtr& stream) {
  Captures& all = captures();
  const std::lock_guard<std::mutex> hold(all.lock);
  const auto found = all.branches.find(stream);
  if (found == all.branches.end()) return {};
  return Captured{found->second.capture, found->second.tails};
}

int join_capture(const StreamPtr& stream, const Captured& point) {
  Captures& all = captures();
  const std::lock_guard<std::mutex> hold(all.lock);
  if (point.capture->ended) return kCapturedEvent;
  const auto found = all.branches.find(stream);
  if (found == all.branches.end()) {
    add_branch(all, stream, point.capture, point.nodes);
    return kSuccess;
  }
  Branch& branch = found->second;
  if (branch.capture != point.capture) {
    branch.capture->broken = point.capture->broken = true;
    return kCaptureMerge;
  }
  for (const std::size_t node : point.nodes)
    if (std::find(branch.tails.begin(), branch.tails.end(), node) == branch.tails.end()) branch.tails.push_back(node);
  return kSuccess;
}

int depend_on_uncaptured(const StreamPtr& stream) { return break_if_capturing(stream, kCaptureIsolation); }

}  // namespace face

using face::Captures;

cudaError_t cudaThreadExchangeStreamCaptureMode(int* mode) {
  if (*mode < face::kGlobal || *mode > face::kRelaxed) return answer(face::kInvalidValue);
  std::swap(*mode, face::thread_mode);
  return answer(face::kSuccess);
}

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, int mode) {
  const char* call = "cudaStreamBeginCapture";
  enter(call);
  if (mode < face::kGlobal || mode > face::kRelaxed) return answer(face::kInvalidValue);
  if (reinterpret_cast<std::uintptr_t>(handle) <= 1) return answer(face::kCaptureUnsupported);
  const auto stream = face::stream_of(call, handle);
  Captures& all = face::captures();
  const std::lock_guard<std::mutex> hold(all.lock);
  if (all.branches.count(stream) != 0) return answer(face::kIllegalState);
  auto capture = std::make_shared<face::Capture>();
  capture->id = ++all.last_id;
  capture->mode = mode;
  capture->thread = std::this_thread::get_id();
  capture->origin = stream;
  capture->graph = new CUgraph_st;
  all.active.push_back(capture);
  face::add_branch(all, stream, capture, {});
  return answer(face::kSuccess);
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  const char* call = "cudaStreamEndCapture";
  enter(call);
  const auto stream = face::stream_of(call, handle);
  Captures& all = face::captures();
  const std::lock_guard<std::mutex> hold(all.lock);
  const auto found = all.branches.find(stream);
  if (found == all.branches.end()) return answer(face::kIllegalState);
  const auto capture = found->second.capture;
  if (capture->mode != face::kRelaxed && capture->thread != std::this_thread::get_id())
    return answer(face::kCaptureWrongThread);
  if (capture->origin != stream) {
    capture->broken = true;
    return answer(face::kCaptureUnmatched);
  }
  const int error = face::outcome(all, capture);
  face::end(all, capture);
  *graph = error == face::kSuccess ? capture->graph : nullptr;
  if (error == face::kSuccess)
    face::add_handle(capture->graph);
  else
    delete capture->graph;
  return answer(error);
}

CUresult cuStreamGetCaptureInfo_v2(cudaStream_t handle, int* status, uint64_t* id, cudaGraph_t* graph,
                                   const void*** dependencies, size_t* count) {
  const auto stream = face::stream_of("cuStreamGetCaptureInfo", handle);
  Captures& all = face::captures();
  const std::lock_guard<std::mutex> hold(all.lock);
  const auto found = all.branches.find(stream);
  *status = found == all.branches.end() ? 0 : found->second.capture->broken ? 2 : 1;
  if (*status != 1) return face::kSuccess;
  face::Branch& branch = found->second;
  branch.handles.clear();  // a node's handle is its number, from 1
  for (const std::size_t tail : branch.tails) branch.handles.push_back(reinterpret_cast<const void*>(tail + 1));
  if (id != nullptr) *id = branch.capture->id;
  if (graph != nullptr) *graph = branch.capture->graph;
  if (dependencies != nullptr) *dependencies = branch.handles.data();
  if (count != nullptr) *count = branch.handles.size();
  return face::kSuccess;
}

cudaError_t cudaStreamGetCaptureInfo(cudaStream_t stream, int* status, uint64_t* id, cudaGraph_t* graph,
                                     const void*** dependencies, const void** edges, size_t* count) {
  if (edges != nullptr) *edges = nullptr;  // all of the ordinary kind
  return answer(cuStreamGetCaptureInfo_v2(stream, status, id, graph, dependencies, count));
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, int* status) {
  return answer(cuStreamGetCaptureInfo_v2(stream, status, nullptr, nullptr, nullptr, nullptr));
}
