#include "bootstrap/fork_guard.h"

#include <pthread.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

namespace amalgam::bootstrap::fork_guard {
namespace {

constexpr int kFds = 1 << 16;  // fds beyond are not closed in the child; peers then learn by silence
constinit std::array<std::atomic<std::uint64_t>, kFds / 64> owned{};
constinit std::atomic<bool> in_child{false};
constinit std::once_flag installed;

std::uint64_t bit(int fd) { return std::uint64_t{1} << (fd % 64); }

void enter_child() {
  in_child.store(true, std::memory_order_relaxed);
  for (int word = 0; word < kFds / 64; ++word) {
    const std::uint64_t bits = owned[static_cast<std::size_t>(word)].exchange(0, std::memory_order_relaxed);
    for (int i = 0; i < 64; ++i)
      if ((bits >> i) & 1) ::close(word * 64 + i);
  }
}

}  // namespace

void install() {
  std::call_once(installed, [] { pthread_atfork(nullptr, nullptr, enter_child); });
}

bool forked() { return in_child.load(std::memory_order_relaxed); }

void own(int fd) {
  if (fd >= 0 && fd < kFds) owned[static_cast<std::size_t>(fd / 64)].fetch_or(bit(fd), std::memory_order_relaxed);
}

void disown(int fd) {
  if (fd >= 0 && fd < kFds) owned[static_cast<std::size_t>(fd / 64)].fetch_and(~bit(fd), std::memory_order_relaxed);
}

}  // namespace amalgam::bootstrap::fork_guard
