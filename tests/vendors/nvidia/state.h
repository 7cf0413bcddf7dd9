#pragma once

// What the exported functions share: entry checks, the thread's device and last error, and handles.

#include "tests/vendors/core/core.h"
#include "tests/vendors/nvidia/face.h"

namespace face {

void enter(const char* call);  // ends the process inside a host function and in a forked child
int& current_device();
cudaError_t answer(int error);  // remembers an error for cudaGetLastError
int take_last_error(bool clear);

std::shared_ptr<standin::Stream> stream_of(const char* call, cudaStream_t handle);

}  // namespace face
