// A runtime of one vendor's shape on host memory: built once per shape, with the names, numbers and layouts that the
// shape's table expects. It records what the tests ask about; streams do their work at once.
//
// Shapes: FAKE_CUDA (13), FAKE_COREX (CUDA 10.2's layouts, few functions), FAKE_HIP (6)

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(FAKE_HIP)
#define NAME(cuda, hip) hip
#define VERSION 60300000
#elif defined(FAKE_COREX)
#define NAME(cuda, hip) cuda
#define VERSION 10020
#else
#define NAME(cuda, hip) cuda
#define VERSION 13000
#endif

enum { kOk = 0, kInvalid = 1, kNotReady = 600, kDevices = 2, kMost = 64 };

struct block {
  char *begin, *end;
  int type, device;  // 1 pinned, 2 device
};
static struct block blocks[kMost];
static _Thread_local int device, last_error, capture_mode;
static int context, events_are_late, attribute_value = 1;

// What a test may set or see.
void fake_set_context(int active) { context = active; }
void fake_set_late_events(int late) { events_are_late = late; }
int fake_last_error(void) { return last_error; }
int fake_capture_mode(void) { return capture_mode; }

static int fail(int error) { return last_error = error; }

static int keep(void** memory, size_t bytes, int type) {
  for (int i = 0; i < kMost; ++i) {
    if (blocks[i].begin != NULL) continue;
    char* begin = malloc(bytes == 0 ? 1 : bytes);
    blocks[i] = (struct block){begin, begin + bytes, type, device};
    *memory = begin;
    return kOk;
  }
  return fail(2);
}

static int drop(void* memory, int type) {
  for (int i = 0; i < kMost; ++i) {
    if (blocks[i].begin != memory || blocks[i].type != type) continue;
    free(memory);
    blocks[i].begin = NULL;
    return kOk;
  }
  return fail(kInvalid);
}

int NAME(cudaRuntimeGetVersion, hipRuntimeGetVersion)(int* version) { return *version = VERSION, kOk; }
int NAME(cudaGetDeviceCount, hipGetDeviceCount)(int* count) { return *count = kDevices, kOk; }
int NAME(cudaGetDevice, hipGetDevice)(int* current) { return *current = device, kOk; }
int NAME(cudaSetDevice, hipSetDevice)(int wanted) {
  if (wanted < 0 || wanted >= kDevices) return fail(101);
  return device = wanted, kOk;
}
int NAME(cudaDeviceGetPCIBusId, hipDeviceGetPCIBusId)(char* text, int length, int which) {
  strncpy(text, which == 0 ? "FFFF:00:00.0" : "FFFF:00:01.0", (size_t)length);
  return kOk;
}
int NAME(cudaDeviceGetAttribute, hipDeviceGetAttribute)(int* value, int attribute, int which) {
  return *value = attribute_value, kOk;
}
int NAME(cudaMalloc, hipMalloc)(void** memory, size_t bytes) {
  return bytes > (1ULL << 30) ? fail(2) : keep(memory, bytes, 2);
}
int NAME(cudaFree, hipFree)(void* memory) { return drop(memory, 2); }
int NAME(cudaHostAlloc, hipHostMalloc)(void** memory, size_t bytes, unsigned flags) {
  return flags != 3 ? fail(kInvalid) : keep(memory, bytes, 1);
}
int NAME(cudaFreeHost, hipHostFree)(void* memory) { return drop(memory, 1); }
const char* NAME(cudaGetErrorName, hipGetErrorName)(int error) { return error == 2 ? "OutOfMemory" : "SomeError"; }
int NAME(cudaGetLastError, hipGetLastError)(void) {
  const int error = last_error;
  return last_error = kOk, error;
}

int NAME(cudaPointerGetAttributes, hipPointerGetAttributes)(void* attributes, const void* address) {
  int* words = attributes;
  for (int i = 0; i < kMost; ++i) {
    if (blocks[i].begin == NULL || (const char*)address < blocks[i].begin || (const char*)address >= blocks[i].end)
      continue;
#if defined(FAKE_COREX)
    words[0] = 77, words[1] = blocks[i].type, words[2] = blocks[i].device;
#else
    words[0] = blocks[i].type, words[1] = blocks[i].device;
#endif
    return kOk;
  }
#if defined(FAKE_CUDA)
  return words[0] = 0, words[1] = -2, kOk;
#else
  return fail(kInvalid);
#endif
}

int NAME(cudaMemcpyAsync, hipMemcpyAsync)(void* to, const void* from, size_t bytes, int kind, void* stream) {
  return kind < 1 || kind > 2 ? fail(kInvalid) : (memcpy(to, from, bytes), kOk);
}
int NAME(cudaStreamCreateWithFlags, hipStreamCreateWithFlags)(void** stream, unsigned flags) {
  return flags != 1 ? fail(kInvalid) : (*stream = malloc(1), kOk);
}
int NAME(cudaStreamDestroy, hipStreamDestroy)(void* stream) { return free(stream), kOk; }
int NAME(cudaStreamSynchronize, hipStreamSynchronize)(void* stream) { return kOk; }
int NAME(cudaStreamWaitEvent, hipStreamWaitEvent)(void* stream, void* event, unsigned flags) { return kOk; }
int NAME(cudaEventCreateWithFlags, hipEventCreateWithFlags)(void** event, unsigned flags) {
  return flags != 2 ? fail(kInvalid) : (*event = malloc(1), kOk);
}
int NAME(cudaEventDestroy, hipEventDestroy)(void* event) { return free(event), kOk; }
int NAME(cudaEventRecord, hipEventRecord)(void* event, void* stream) { return kOk; }
int NAME(cudaEventQuery, hipEventQuery)(void* event) { return events_are_late ? fail(kNotReady) : kOk; }

#if !defined(FAKE_COREX)
int NAME(cudaLaunchHostFunc, hipLaunchHostFunc)(void* stream, void (*function)(void*), void* argument) {
  return function(argument), kOk;
}
int NAME(cudaThreadExchangeStreamCaptureMode, hipThreadExchangeStreamCaptureMode)(int* mode) {
  const int before = capture_mode;
  capture_mode = *mode;
  return *mode = before, kOk;
}
int NAME(cudaStreamIsCapturing, hipStreamIsCapturing)(void* stream, int* status) { return *status = 0, kOk; }
int NAME(cuStreamWriteValue64_v2, hipStreamWriteValue64)(void* stream, uint64_t* at, uint64_t value, unsigned flags) {
  return *at = value, kOk;
}
#endif
#if defined(FAKE_HIP)
int hipDevicePrimaryCtxGetState(int which, unsigned* flags, int* active) { return *active = context, kOk; }
int hipDeviceGetName(char* text, int length, int which) { return strncpy(text, "Instinct", (size_t)length), kOk; }
int hipStreamWaitValue64(void* stream, uint64_t* at, uint64_t value, unsigned flags, uint64_t mask) {
  return mask == ~0ULL && flags == 0 && *at >= value ? kOk : fail(kInvalid);
}
#else
int cuCtxGetCurrent(void** current) { return *current = context ? &context : NULL, kOk; }
#if defined(FAKE_COREX)
int cuDeviceGetName(char* text, int length, int which) {
  return strncpy(text, "Iluvatar BI-V150", (size_t)length), kOk;
}
#else
int cuDeviceGetName(char* text, int length, int which) { return strncpy(text, "H100", (size_t)length), kOk; }
int cuStreamWaitValue64_v2(void* stream, uint64_t* at, uint64_t value, unsigned flags) {
  return flags == 0 && *at >= value ? kOk : fail(kInvalid);
}
#endif
#endif
