#pragma once

// Capture of streams into graphs, as far as the calls on streams and events have to know of it. Other faces than the
// CUDA 13 one capture nothing.

#include "tests/vendors/nvidia/state.h"

namespace face {

struct Capture;

// What an event recorded in a capture stands for: the last nodes of its stream then.
struct Captured {
  std::shared_ptr<Capture> capture = nullptr;
  std::vector<std::size_t> nodes = {};
};

using StreamPtr = std::shared_ptr<standin::Stream>;

#ifndef STANDIN_CUDA13
inline int unsafe_call() { return kSuccess; }
inline int use_outside_capture(const StreamPtr&) { return kSuccess; }
inline Captured captured_at(const StreamPtr&) { return {}; }
inline int join_capture(const StreamPtr&, const Captured&) { return kSuccess; }
inline int depend_on_uncaptured(const StreamPtr&) { return kSuccess; }
#else
// All give an error, and end the captures that the call breaks.
int unsafe_call();                                 // one that the thread's mode may forbid while others capture
int use_outside_capture(const StreamPtr& stream);  // one that no capturing stream allows
int join_capture(const StreamPtr& stream, const Captured& point);
int depend_on_uncaptured(const StreamPtr& stream);
Captured captured_at(const StreamPtr& stream);  // without a capture: the stream is in none
#endif

}  // namespace face
