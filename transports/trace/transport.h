#pragma once

// Records every slice that passes: when, on which lane, with which tag. The newest records are kept; dump() prints
// them, and where AMALGAM_TRACE_FILE names a file, closing the transport appends them to it.

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "transports/decorator/decorator.h"

namespace amalgam::trace {

enum class Event : std::uint8_t { kSent, kReferred, kReceived, kReleased };

struct Record {
  TimePoint when;
  Event event;
  int peer;
  int channel;
  transport::SliceTag tag;
};

// The newest records, oldest first. Any thread.
class Journal {
 public:
  void add(Event event, int peer, int channel, const transport::SliceTag& tag);
  std::vector<Record> records() const;
  std::string text(int rank) const;  // a line per record, times in ns since the first

 private:
  static constexpr std::size_t kMost = 4096;
  mutable std::mutex mutex_;
  std::vector<Record> ring_;
  std::size_t next_ = 0;
};

class Transport final : public decorator::Transport {
 public:
  Transport(std::unique_ptr<transport::Transport> inner, int rank, std::string file);
  ~Transport() override;

  const Journal& journal() const { return *journal_; }
  std::string dump() const { return journal_->text(rank_); }

 private:
  std::unique_ptr<transport::SendLane> wrap(std::unique_ptr<transport::SendLane> lane, int peer, int channel) override;
  std::unique_ptr<transport::ReceiveLane> wrap(std::unique_ptr<transport::ReceiveLane> lane, int peer,
                                               int channel) override;

  const int rank_;
  const std::string file_;
  const std::shared_ptr<Journal> journal_;  // shared with the lanes, which may outlive the transport
};

}  // namespace amalgam::trace
