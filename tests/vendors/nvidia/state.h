#pragma once

// What the exported functions share: entry checks, the thread's device and last error, and handles.

#include "tests/vendors/core/core.h"
#include "tests/vendors/nvidia/face.h"

namespace face {

// Ends the process inside a host function and in a forked child. enter() also gives the thread a context, as the first
// call of a runtime does; ask() is for those that only look.
void enter(const char* call);
void ask(const char* call);
bool has_context();          // this thread
void leave();                // this thread has none from here on
bool process_has_context();  // any thread
bool device_has_context(int device);
void* context_of(int device);  // its handle
bool exists(int device);
int& current_device();
cudaError_t answer(int error);  // remembers an error for cudaGetLastError
int take_last_error(bool clear);
bool has_stream_values();  // 64-bit memops; STANDIN_VALUES=0: not, as some virtual and older devices

std::shared_ptr<standin::Stream> stream_of(const char* call, cudaStream_t handle);

// devices.cc, of the CUDA 13 face only
int attribute(int* value, int number, int device);  // an error; takes no part in the last one
void uuid_of(void* uuid, int device);               // 16 bytes

}  // namespace face
