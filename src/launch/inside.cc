#include "launch/inside.h"

#include <algorithm>

namespace amalgam::launch {
namespace {

using engine::Exchange;
using Calls = void (Exchange::*)(std::uint64_t, std::vector<Request>*) const;

device::Stream stream_of(const Split& split) { return const_cast<void*>(split.exchange.call().stream); }

engine::DeviceQueue& queue_of(const Split& split) { return *split.communicator->mixed()->queue(); }

// One group of each library around calls on several of its communicators.
class VendorGroup {
 public:
  Status open(const island::Library* library) {
    if (std::find(open_.begin(), open_.end(), library) != open_.end()) return {};
    AMALGAM_TRY(library->group_start());
    open_.push_back(library);
    return {};
  }
  // Also after an error: a group must not stay open.
  Status close() {
    Status first;
    for (const island::Library* library : open_) {
      Status ended = library->group_end();
      if (first.ok()) first = std::move(ended);
    }
    open_.clear();
    return first;
  }

 private:
  std::vector<const island::Library*> open_;
};

Status issue_on(const Split& split, VendorGroup& group, std::span<const Request> calls) {
  if (calls.empty()) return {};
  const device::Visit visit(queue_of(split).runtime(), queue_of(split).device());
  AMALGAM_TRY(visit.status());
  AMALGAM_TRY(group.open(split.communicator->delegate_library()));
  for (const Request& call : calls) AMALGAM_TRY(split.communicator->island()->issue(call));
  return {};
}

// Chunk `chunk + ahead` of each rank, where it has that many.
Status issue(std::span<const Split* const> splits, std::uint64_t chunk, bool ahead, Calls which) {
  VendorGroup group;
  Status first;
  std::vector<Request> calls;
  for (const Split* split : splits) {
    const std::uint64_t at = chunk + (ahead ? split->exchange.ahead() : 0);
    calls.clear();
    if (at < split->exchange.chunks()) (split->exchange.*which)(at, &calls);
    if (first.ok()) first = issue_on(*split, group, calls);
  }
  Status closed = group.close();
  return first.ok() ? std::move(closed) : std::move(first);
}

Status mark(std::span<const Split* const> splits, std::uint64_t chunk, bool ahead) {
  for (const Split* split : splits) {
    const std::uint64_t at = chunk + (ahead ? split->exchange.ahead() : 0);
    if (at >= split->exchange.chunks()) continue;
    const device::Visit visit(queue_of(*split).runtime(), queue_of(*split).device());
    AMALGAM_TRY(visit.status());
    AMALGAM_TRY(split->gates[at]->mark(stream_of(*split)));
  }
  return {};
}

Status wait(std::span<const Split* const> splits, std::uint64_t chunk) {
  for (const Split* split : splits) {
    const device::Visit visit(queue_of(*split).runtime(), queue_of(*split).device());
    AMALGAM_TRY(visit.status());
    AMALGAM_TRY(queue_of(*split).wait(*split->gates[chunk], stream_of(*split)));
    queue_of(*split).release_gate(split->gates[chunk]);
  }
  return {};
}

std::uint64_t most_ahead(std::span<const Split* const> splits) {
  std::uint64_t most = 0;
  for (const Split* split : splits) most = std::max(most, std::min(split->exchange.ahead(), split->exchange.chunks()));
  return most;
}

// Of those that may be issued so far ahead.
std::vector<const Split*> reaching(std::span<const Split* const> splits, std::uint64_t chunk) {
  std::vector<const Split*> reaching;
  for (const Split* split : splits)
    if (chunk < std::min(split->exchange.ahead(), split->exchange.chunks())) reaching.push_back(split);
  return reaching;
}

}  // namespace

Status begin_inside(std::span<const Split* const> calls) {
  for (std::uint64_t chunk = 0; chunk < most_ahead(calls); ++chunk) {
    const std::vector<const Split*> now = reaching(calls, chunk);
    AMALGAM_TRY(issue(now, chunk, false, &Exchange::before));
    AMALGAM_TRY(mark(now, chunk, false));
    AMALGAM_TRY(issue(now, chunk, false, &Exchange::beside));
  }
  return {};
}

Status end_inside(std::span<const Split* const> calls) {
  for (std::uint64_t chunk = 0; chunk < calls.front()->exchange.chunks(); ++chunk) {
    AMALGAM_TRY(wait(calls, chunk));
    AMALGAM_TRY(issue(calls, chunk, false, &Exchange::after));
    AMALGAM_TRY(issue(calls, chunk, true, &Exchange::before));
    AMALGAM_TRY(mark(calls, chunk, true));
  }
  return {};
}

}  // namespace amalgam::launch
