#include "tests/vendors/nvidia/state.h"

#include <pthread.h>

#include <atomic>
#include <cstdlib>

int standin::face_channels() {
  const char* text = std::getenv(face::kChannelsVariable);
  return text == nullptr ? face::kChannels : std::atoi(text);
}

namespace face {
namespace {

thread_local int device = 0;
thread_local bool context = false;
thread_local int last_error = 0;
std::atomic<bool> forked{false};
std::atomic<bool> any_context{false};

__attribute__((constructor)) void watch_fork() {
  pthread_atfork(nullptr, nullptr, [] { forked = true; });
}

}  // namespace

void enter(const char* call) {
  ask(call);
  context = true;
  any_context = true;
}

bool has_context() { return context; }
bool process_has_context() { return any_context; }

void ask(const char* call) {
  if (forked) standin::misuse(call, "runtime call in a forked child");
  if (standin::in_host_function()) standin::misuse(call, "runtime call inside a host function");
}

int& current_device() { return device; }

cudaError_t answer(int error) {
  if (error != kSuccess && error != kNotReady) last_error = error;
  return error;
}

int take_last_error(bool clear) {
  const int error = last_error;
  if (clear) last_error = 0;
  return error;
}

}  // namespace face

using face::answer;
using face::enter;

cudaError_t cudaGetDeviceCount(int* count) {
  face::ask("cudaGetDeviceCount");
  *count = standin::device_count();
  return answer(face::kSuccess);
}

cudaError_t cudaGetDevice(int* device) {
  face::ask("cudaGetDevice");
  *device = face::current_device();
  return answer(face::kSuccess);
}

cudaError_t cudaSetDevice(int device) {
  enter("cudaSetDevice");
  if (device < 0 || device >= standin::device_count()) return answer(face::kInvalidDevice);
  face::current_device() = device;
  return answer(face::kSuccess);
}

cudaError_t cudaDeviceSynchronize() {
  enter("cudaDeviceSynchronize");
  standin::wait_device(face::current_device());
  return answer(face::kSuccess);
}

cudaError_t cudaGetLastError() { return face::take_last_error(true); }
cudaError_t cudaPeekAtLastError() { return face::take_last_error(false); }

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = face::kVersion;
  return answer(face::kSuccess);
}

cudaError_t cudaDriverGetVersion(int* version) { return cudaRuntimeGetVersion(version); }
