#include "observe/flight.h"

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "base/wire.h"
#include "observe/flight_wire.h"

namespace amalgam::observe {
namespace {

constexpr std::size_t kWords = 5;
constexpr std::size_t kCompleted = 4;

using Words = std::array<std::uint64_t, kWords>;

Words pack(const FlightEntry& entry) {
  const std::uint64_t kind = static_cast<std::uint64_t>(entry.collective) |
                             static_cast<std::uint64_t>(entry.type) << 8 | static_cast<std::uint64_t>(entry.op) << 16 |
                             static_cast<std::uint64_t>(static_cast<std::uint32_t>(entry.root)) << 32;
  return {entry.sequence, kind, entry.count, static_cast<std::uint64_t>(entry.entered_ns),
          static_cast<std::uint64_t>(entry.completed_ns)};
}

FlightEntry unpack(const Words& words) {
  FlightEntry entry;
  entry.sequence = words[0];
  entry.collective = static_cast<Collective>(words[1] & 0xff);
  entry.type = static_cast<DataType>(words[1] >> 8 & 0xff);
  entry.op = static_cast<ReduceOp>(words[1] >> 16 & 0xff);
  entry.root = static_cast<std::int32_t>(static_cast<std::uint32_t>(words[1] >> 32));
  entry.count = words[2];
  entry.entered_ns = static_cast<std::int64_t>(words[3]);
  entry.completed_ns = static_cast<std::int64_t>(words[4]);
  return entry;
}

}  // namespace

// Version 2t+1 while entry t is being written, 2t+2 once it is whole: a reader sees from it whether what it copied is
// one entry. Words are atomics because a reader may look while the owner writes; release and acquire on each of them
// keep it between the two looks at the version (thread sanitizers do not know fences).
struct FlightRecord::Cell {
  std::atomic<std::uint64_t> version{0};
  std::array<std::atomic<std::uint64_t>, kWords> words{};
};

FlightRecord::FlightRecord(int entries)
    : cells_(std::make_unique<Cell[]>(static_cast<std::size_t>(std::max(entries, 1)))),
      size_(static_cast<std::uint64_t>(std::max(entries, 1))) {}

FlightRecord::~FlightRecord() = default;

std::uint64_t FlightRecord::enter(const FlightEntry& entry) {
  const std::uint64_t ticket = next_.load(std::memory_order_relaxed);
  Cell& cell = cells_[ticket % size_];
  const Words words = pack(entry);
  cell.version.store(2 * ticket + 1, std::memory_order_relaxed);
  for (std::size_t i = 0; i < kWords; ++i) cell.words[i].store(words[i], std::memory_order_release);
  cell.version.store(2 * ticket + 2, std::memory_order_release);
  next_.store(ticket + 1, std::memory_order_release);
  return ticket;
}

void FlightRecord::complete(std::uint64_t ticket, std::int64_t now_ns) {
  Cell& cell = cells_[ticket % size_];
  if (cell.version.load(std::memory_order_relaxed) != 2 * ticket + 2) return;  // a newer entry took the place
  cell.words[kCompleted].store(static_cast<std::uint64_t>(now_ns), std::memory_order_release);
}

std::vector<FlightEntry> FlightRecord::snapshot() const {
  std::vector<FlightEntry> entries;
  const std::uint64_t end = next_.load(std::memory_order_acquire);
  for (std::uint64_t ticket = end > size_ ? end - size_ : 0; ticket < end; ++ticket) {
    const Cell& cell = cells_[ticket % size_];
    if (cell.version.load(std::memory_order_acquire) != 2 * ticket + 2) continue;
    Words words;
    for (std::size_t i = 0; i < kWords; ++i) words[i] = cell.words[i].load(std::memory_order_acquire);
    if (cell.version.load(std::memory_order_relaxed) == 2 * ticket + 2) entries.push_back(unpack(words));
  }
  return entries;
}

std::vector<std::byte> FlightRecord::encode() const {
  const std::int64_t now = Clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
  return encode_flight(snapshot(), now);
}

}  // namespace amalgam::observe
