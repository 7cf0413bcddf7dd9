#include "tests/vendors/nvidia/handles.h"

#include <mutex>
#include <set>

#include "tests/vendors/nvidia/state.h"

namespace face {
namespace {

std::mutex lock;
std::uint64_t made = 0;

std::set<const void*>& handles() {
  static auto* const all = new std::set<const void*>;
  return *all;
}

[[noreturn]] void refuse(const char* call) {
  standin::misuse(call, "a stream or event that is not live (foreign or destroyed)");
}

}  // namespace

void add_handle(const void* handle) {
  const std::lock_guard<std::mutex> hold(lock);
  handles().insert(handle);
  ++made;
}

void check_handle(const char* call, const void* handle) {
  const std::lock_guard<std::mutex> hold(lock);
  if (handles().count(handle) == 0) refuse(call);
}

void drop_handle(const char* call, const void* handle) {
  const std::lock_guard<std::mutex> hold(lock);
  if (handles().erase(handle) == 0) refuse(call);
}

std::uint64_t handles_made() {
  const std::lock_guard<std::mutex> hold(lock);
  return made;
}

}  // namespace face

uint64_t standin_made() { return face::handles_made() + standin::allocations(); }
