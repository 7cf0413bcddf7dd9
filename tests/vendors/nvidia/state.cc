#include "tests/vendors/nvidia/state.h"

#include <pthread.h>

#include <atomic>
#include <cstdlib>

#include "tests/vendors/nvidia/capture.h"

int standin::face_channels() {
  const char* text = std::getenv(face::kChannelsVariable);
  return text == nullptr ? face::kChannels : std::atoi(text);
}

const char* standin::face_visible() { return std::getenv(face::kVisibleVariable); }

namespace face {
namespace {

thread_local int device = 0;
thread_local bool context = false;
thread_local int last_error = 0;
std::atomic<bool> forked{false};
std::atomic<std::uint64_t> devices_with_context{0};  // a bit for each

__attribute__((constructor)) void watch_fork() {
  pthread_atfork(nullptr, nullptr, [] { forked = true; });
}

}  // namespace

void enter(const char* call) {
  ask(call);
  context = true;
  const std::uint64_t bit = std::uint64_t{1} << device;
  if ((devices_with_context & bit) == 0) devices_with_context |= bit;
}

void leave() { context = false; }

bool has_context() { return context; }
bool process_has_context() { return devices_with_context != 0; }
bool device_has_context(int device) { return (devices_with_context >> device & 1) != 0; }
void* context_of(int device) {
  return reinterpret_cast<void*>(standin::kDeviceBase + 1 + static_cast<std::uintptr_t>(device));
}
bool exists(int device) { return device >= 0 && device < standin::device_count(); }

void ask(const char* call) {
  if (forked) standin::misuse(call, "runtime call in a forked child");
  if (standin::in_host_function()) standin::misuse(call, "runtime call inside a host function");
}

int& current_device() { return device; }

cudaError_t answer(int error) {
  if (error != kSuccess && error != kNotReady) last_error = error;
  return error;
}

bool has_stream_values() {
  static const bool has = standin::number_from("STANDIN_VALUES", 1) != 0;
  return has;
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
  return answer(*count == 0 ? face::kNoDevice : face::kSuccess);
}

cudaError_t cudaGetDevice(int* device) {
  face::ask("cudaGetDevice");
  *device = face::current_device();
  return answer(face::kSuccess);
}

cudaError_t cudaSetDevice(int device) {
  face::ask("cudaSetDevice");
  if (!face::exists(device)) return answer(face::kInvalidDevice);
  face::current_device() = device;
  enter("cudaSetDevice");  // since 12.0 this is enough for a context [U]
  return answer(face::kSuccess);
}

cudaError_t cudaDeviceSynchronize() {
  enter("cudaDeviceSynchronize");
  if (const int error = face::unsafe_call()) return answer(error);
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
