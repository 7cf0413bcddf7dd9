#include "transports/ring/doorbell.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>

namespace amalgam::ring {
namespace {

long futex(std::atomic<std::uint32_t>* word, int operation, std::uint32_t value, const timespec* limit) {
  return syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(word), operation, value, limit, nullptr, 0);
}

}  // namespace

void Doorbell::wait(std::uint32_t seen, std::chrono::microseconds limit) {
  if (limit.count() <= 0) return;
  const timespec relative{static_cast<time_t>(limit.count() / 1000000),
                          static_cast<long>(limit.count() % 1000000 * 1000)};
  futex(&word, FUTEX_WAIT, seen, &relative);  // any result means: look again
}

void Doorbell::wake() {
  if (sleepers.exchange(0, std::memory_order_seq_cst) == 0) return;  // another ringer does it
  word.fetch_add(1, std::memory_order_seq_cst);
  futex(&word, FUTEX_WAKE, INT_MAX, nullptr);
}

}  // namespace amalgam::ring
