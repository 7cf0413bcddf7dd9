#include "transports/trace/transport.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/unique_fd.h"
#include "transports/trace/lane.h"

namespace amalgam::trace {
namespace {

constexpr const char* kEvents[] = {"sent", "referred", "received", "released"};

}  // namespace

void Journal::add(Event event, int peer, int channel, const transport::SliceTag& tag) {
  const Record record{Clock::now(), event, peer, channel, tag};
  const std::lock_guard lock(mutex_);
  if (ring_.size() < kMost)
    ring_.push_back(record);
  else
    ring_[next_] = record;
  next_ = (next_ + 1) % kMost;
}

std::vector<Record> Journal::records() const {
  const std::lock_guard lock(mutex_);
  std::vector<Record> sorted = ring_;
  if (sorted.size() == kMost)
    std::rotate(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(next_), sorted.end());
  return sorted;
}

std::string Journal::text(int rank) const {
  std::string text;
  const std::vector<Record> all = records();
  for (const Record& r : all) {
    const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(r.when - all.front().when).count();
    text += fmt::format("{} ns rank {} {} peer {} channel {}", since, rank, kEvents[static_cast<std::size_t>(r.event)],
                        r.peer, r.channel);
    if (r.event != Event::kReleased)
      text += fmt::format(" operation {} plan {:08x} slice {} bytes {}", r.tag.sequence, r.tag.plan, r.tag.position,
                          r.tag.bytes);
    text += "\n";
  }
  return text;
}

Transport::Transport(std::unique_ptr<transport::Transport> inner, int rank, std::string file)
    : decorator::Transport("trace", std::move(inner)),
      rank_(rank),
      file_(std::move(file)),
      journal_(std::make_shared<Journal>()) {}

Transport::~Transport() {
  if (file_.empty()) return;
  const UniqueFd fd(open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const std::string text = dump();
  if (fd.valid() && write(fd.get(), text.data(), text.size()) < 0) return;  // a trace that cannot be kept is no error
}

std::unique_ptr<transport::SendLane> Transport::wrap(std::unique_ptr<transport::SendLane> lane, int peer, int channel) {
  return std::make_unique<SendLane>(std::move(lane), Place{journal_, peer, channel});
}

std::unique_ptr<transport::ReceiveLane> Transport::wrap(std::unique_ptr<transport::ReceiveLane> lane, int peer,
                                                        int channel) {
  return std::make_unique<ReceiveLane>(std::move(lane), Place{journal_, peer, channel});
}

}  // namespace amalgam::trace
