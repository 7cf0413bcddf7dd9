#pragma once

// The device of a stand-in vendor stack: memory that the CPU cannot touch, streams, channels, events, stream memops and
// host functions, without any vendor's names. A vendor's face is a thin layer of exported functions over this.
//
// Contract: one global lock; every call may come from any thread. Misuse ends the process with a message that names the
// call and the rule. Nothing here is ever destroyed: programs call in from static destructors. The behaviour is that of
// one measured GPU; docs/stand-ins.md says which rules are modelled.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#ifndef STANDIN_BASE  // no other vendor's file was put in front
#include "tests/vendors/nvidia/vendor.h"
#endif

namespace standin {

[[noreturn]] void misuse(const char* call, const char* rule);

// memory.cc. Device d is PROT_NONE at kDeviceBase + d * kDeviceStride; only this library uses the mirror.
inline constexpr std::uintptr_t kDeviceBase = STANDIN_BASE;
inline constexpr std::uintptr_t kDeviceStride = std::uintptr_t{64} << 30;
inline constexpr std::uintptr_t kMirror = 0x100000000000;  // distance from a device address to its mirror

enum class Kind { kDevice, kPinned };
struct Range {
  Kind kind;
  int device;
  std::uintptr_t base;
  std::size_t bytes;
  bool registered;  // pinned memory that the program owns
};

int device_count();          // those that the environment leaves visible
int ordinal(int device);     // how the machine counts a visible device
const char* face_visible();  // defined by the face: its list of visible ordinals, or null
std::size_t number_from(const char* variable, std::size_t otherwise);  // of the environment
std::size_t device_bytes();
std::size_t device_bytes_free(int device);
void* allocate(int device, std::size_t bytes);         // null: out of memory
void* allocate_pinned(int device, std::size_t bytes);  // null: out of memory
bool add_pinned(int device, void* memory, std::size_t bytes);
void forget(const Range& range);
std::uint64_t allocations();  // ever made, of all kinds
std::optional<Range> find(const void* pointer);
// The address by which this library reaches the memory. Ends the process if a device range is not wholly allocated.
char* reach(const char* call, const void* pointer, std::size_t bytes);
// The same, for memory that is read (ends the process if a part was never written) or written.
const char* reach_read(const char* call, const void* pointer, std::size_t bytes);
char* reach_write(const char* call, void* pointer, std::size_t bytes);

// engine.cc
struct Stream;
// A position in a stream; reached once everything up to it is done.
struct Mark {
  std::shared_ptr<Stream> stream;
  std::uint64_t position = 0;
};
enum class Work { kCopyOut, kCopyIn, kCompute, kWaitValue, kHostFunction, kMarker };
struct Operation {
  Work work = Work::kMarker;
  std::function<void()> run = nullptr;    // outside the lock
  std::function<bool()> ready = nullptr;  // kWaitValue only
  std::function<bool()> step = nullptr;   // instead of run, of a kernel: called again and again until it says true
  std::vector<Mark> after = {};           // positions of other streams that come first
};

bool in_host_function();
void become_host_function();  // this thread may not call in, like one that runs host functions
int channels();
int face_channels();  // defined by the face: how many hardware channels its environment asks for
// `blocking`: takes part in the order of the device's null stream.
std::shared_ptr<Stream> make_stream(int device, bool blocking);
void retire(const std::shared_ptr<Stream>& stream);  // what is queued still runs
std::shared_ptr<Stream> null_stream(int device);
// Blocks while kParkedStreams streams of the device are parked on a value with a kernel behind it, as measured.
inline constexpr int kParkedStreams = 64;
Mark enqueue(const std::shared_ptr<Stream>& stream, Operation operation);
// From here on the stream's operations go to `sink` instead, and marks of them are reached; null: no longer.
void divert(const std::shared_ptr<Stream>& stream, std::function<void(Operation)> sink);
Mark last(const std::shared_ptr<Stream>& stream);
bool reached(const Mark& mark);
void wait(const Mark& mark);
void wait_device(int device);  // all work of all its streams, parked work included
int device_of(const Stream& stream);
int waiters();  // callers that are blocked in here now
int streams();  // that live, of all devices, retired ones with work left included

}  // namespace standin
