#pragma once

// Flight record: the last operations of one communicator on one rank, kept in a fixed ring without locks on the hot
// path.
//
// The owner's thread writes; the service thread reads while an error or `amalgam status` is handled and may see an
// entry that is being written: each entry carries a version and is skipped when torn.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/types.h"

namespace amalgam::observe {

struct FlightEntry {
  std::uint64_t sequence = 0;  // of the collective in its communicator, or of the message in its ordered pair
  Collective collective{};
  DataType type{};
  ReduceOp op{};
  std::int32_t root = -1;  // root, or peer of a send/recv
  std::uint64_t count = 0;
  std::int64_t entered_ns = 0;    // monotonic clock of this process
  std::int64_t completed_ns = 0;  // 0: still running
};

class FlightRecord {
 public:
  explicit FlightRecord(int entries);
  ~FlightRecord();
  std::uint64_t enter(const FlightEntry& entry);  // returns the ticket for complete()
  void complete(std::uint64_t ticket, std::int64_t now_ns);
  std::vector<FlightEntry> snapshot() const;  // oldest first
  std::vector<std::byte> encode() const;      // snapshot for the wire; ages instead of clocks

 private:
  struct Cell;
  std::unique_ptr<Cell[]> cells_;
  std::uint64_t size_;
  std::atomic<std::uint64_t> next_{0};
};

// Merges the ranks' encoded records (index = rank; empty = no answer) into text for people: last operation of each
// rank, and "rank 37 has not entered allreduce #812 (entered by 0, 1, 2 …; 12.4 s ago)". Untrusted input.
std::string merge_flight_records(const std::vector<std::vector<std::byte>>& records);

// The last operation of one encoded record: "last allreduce #812 (1000 float32 sum), running".
std::string last_of_flight_record(const std::vector<std::byte>& record);

}  // namespace amalgam::observe
