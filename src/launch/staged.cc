#include "launch/staged.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "engine/staged_track.h"
#include "launch/inside.h"
#include "launch/record.h"
#include "launch/self.h"

namespace amalgam::launch {
namespace {

using comm::Communicator;
using engine::Gate;
using engine::StagedCall;

// The calls of one communicator in one group, from their start to their completion by the engine.
struct Flight {
  Communicator* communicator = nullptr;
  std::unique_ptr<engine::StagedTrack> track;
  struct Item {
    StagedCall* call;
    std::uint64_t ticket;
  };
  std::vector<Item> items;
  std::vector<Gate*> gates;  // all: of the track, and of calls that are split by islands
};

engine::DeviceQueue& queue_of(const Flight& flight) { return *flight.communicator->mixed()->queue(); }

device::Stream stream_of(const void* stream) { return const_cast<void*>(stream); }

// How far apart the two ends of a message are, the same on both.
int distance(const Communicator& communicator, const Request& request) {
  const int ahead =
      request.collective == Collective::kSend ? request.root - communicator.rank() : communicator.rank() - request.root;
  return (ahead + communicator.ranks()) % communicator.ranks();
}

Status check_buffer(const Communicator& communicator, const void* buffer) {
  if (buffer == nullptr) return {};
  Result<device::Place> place = communicator.stack().runtime->classify(buffer);
  if (!place) return place.status();
  if (place->memory == device::Memory::kManaged) return {};
  if (place->memory == device::Memory::kDevice && place->device == communicator.device()) return {};
  return Status(Code::kInvalidArgument,
                fmt::format("rank {} works on {} device {}, but the buffer {} is {}", communicator.rank(),
                            communicator.stack().facts.vendor, communicator.device(), buffer,
                            place->memory == device::Memory::kDevice ? fmt::format("memory of device {}", place->device)
                                                                     : std::string("host memory")));
}

Status check_capture(const Communicator& communicator, const void* stream) {
  Result<device::Capture> capture = communicator.stack().runtime->capture_of(stream_of(stream));
  if (!capture) return capture.status();
  if (!capture->active) return {};
  return Status(Code::kInvalidUsage,
                "calls of a communicator over several islands cannot be captured into a graph yet: issue them outside "
                "of the capture");
}

// What the group asks of one communicator, messages in the order in which all ranks hold their stages.
Result<std::vector<Request>> requests_of(const Communicator& communicator, std::span<const Work> work) {
  std::vector<Request> requests;
  for (const Work& item : work)
    if (item.communicator == &communicator && !is_self(communicator, item.request)) requests.push_back(item.request);
  std::erase_if(requests, [](const Request& r) { return r.count == 0 && !is_pair(r.collective); });
  Result<std::vector<SelfMessage>> own = self_messages(communicator, work);
  if (!own) return own.status();
  for (const auto& [send, receive] : *own) requests.emplace_back(*send).out = receive->out;
  std::stable_sort(requests.begin(), requests.end(), [&](const Request& a, const Request& b) {
    if (!is_pair(a.collective) || !is_pair(b.collective)) return is_pair(a.collective) < is_pair(b.collective);
    return distance(communicator, a) < distance(communicator, b);
  });
  return requests;
}

// What a group asks of one communicator: checked before anything of it begins.
struct Asked {
  Communicator* communicator;
  std::vector<Request> requests;
  std::vector<const void*> streams;  // of the calls that are not split by islands
};

Result<Asked> ask(Communicator& communicator, std::span<const Work> work) {
  Result<std::vector<Request>> requests = requests_of(communicator, work);
  if (!requests) return requests.status();
  Asked asked{&communicator, requests.take(), {}};
  const device::Visit visit(*communicator.stack().runtime, communicator.device());
  AMALGAM_TRY(visit.status());
  for (const Request& request : asked.requests) {
    AMALGAM_TRY(check_buffer(communicator, request.in));
    AMALGAM_TRY(check_buffer(communicator, request.out));
    AMALGAM_TRY(check_capture(communicator, request.stream));
    const bool known = std::find(asked.streams.begin(), asked.streams.end(), request.stream) != asked.streams.end();
    if (!known && !communicator.mixed()->splits(request)) asked.streams.push_back(request.stream);
  }
  return asked;
}

Status add_gates(Flight& flight, StagedCall& call) {
  for (std::uint64_t chunk = 0; chunk < call.exchange().exchange().chunks(); ++chunk) {
    Result<Gate*> gate = queue_of(flight).take_gate();
    if (!gate) return gate.status();
    flight.gates.push_back(*gate);
    call.add_gate(*gate);
  }
  return {};
}

Status fill(Flight& flight, const Asked& asked) {
  Communicator& communicator = *flight.communicator;
  for (const Request& request : asked.requests) {
    std::uint64_t sequence = 0;
    Result<StagedCall*> call = start_staged(communicator, request, &sequence);
    if (!call) return call.status();
    flight.items.push_back({*call, enter(communicator, request, sequence, now_ns())});
    flight.track->add(*call, request.collective);
    if (communicator.mixed()->splits(request)) AMALGAM_TRY(add_gates(flight, **call));
  }
  return {};
}

void give_back(Flight& flight, bool completed) {
  Communicator& communicator = *flight.communicator;
  const std::int64_t now = now_ns();
  for (const Flight::Item& item : flight.items) {
    if (completed) communicator.flight().complete(item.ticket, now);
    communicator.mixed()->give_call(item.call);
  }
  for (Gate* gate : flight.gates) {
    gate->open();
    queue_of(flight).release_gate(gate);
  }
}

// On the engine's thread.
void finish(std::unique_ptr<Flight> flight, const Status& status) {
  Communicator& communicator = *flight->communicator;
  announce(communicator, status);
  give_back(*flight, status.ok());
  flight.reset();
  if (!status.ok()) communicator.report_failure(status);
  communicator.state().land();
}

Status mark(Flight& flight, const Asked& asked) {
  const device::Visit visit(queue_of(flight).runtime(), queue_of(flight).device());
  AMALGAM_TRY(visit.status());
  for (const void* stream : asked.streams) {
    Result<Gate*> gate = queue_of(flight).take_gate();
    if (!gate) return gate.status();
    flight.gates.push_back(*gate);
    flight.track->add_gate(*gate);
    AMALGAM_TRY((*gate)->mark(stream_of(stream)));
  }
  return {};
}

// A submitted flight: its streams are still to wait.
struct Waiting {
  Communicator* communicator;
  std::vector<std::pair<Gate*, const void*>> gates;
};

// The calls of a flight that are split by islands, in their order.
std::vector<Split> splits_of(const Flight& flight) {
  std::vector<Split> splits;
  for (const Flight::Item& item : flight.items)
    if (!item.call->gates().empty())
      splits.push_back({flight.communicator, item.call->exchange().exchange(), item.call->gates()});
  return splits;
}

Waiting submit(std::unique_ptr<Flight> flight, const Asked& asked) {
  Communicator* communicator = flight->communicator;
  Waiting waiting{communicator, {}};
  for (std::size_t i = 0; i < asked.streams.size(); ++i)
    waiting.gates.emplace_back(flight->track->gates()[i], asked.streams[i]);
  communicator->state().take_off();  // keeps the communicator: its end waits for landing
  engine::Track* track = flight->track.get();
  // std::function wants a copyable callable: released into it, deleted at completion, which always comes.
  communicator->worker()->submit({communicator, track, [raw = flight.release()](const Status& status) {
                                    finish(std::unique_ptr<Flight>(raw), status);
                                  }});
  return waiting;
}

Status wait(const Waiting& waiting) {
  engine::DeviceQueue& queue = *waiting.communicator->mixed()->queue();
  const device::Visit visit(queue.runtime(), queue.device());
  Status first = visit.status();
  for (const auto& [gate, stream] : waiting.gates) {
    if (first.ok()) first = queue.wait(*gate, stream_of(stream));
    if (first.ok()) queue.release_gate(gate);  // else it is not used again: nobody knows what the stream waits for
  }
  return first;
}

// A call that was begun here is waited for by the other ranks, so it cannot be taken back alone.
Status begin(Flight& flight, const Asked& asked) {
  Status begun = fill(flight, asked);
  if (begun.ok()) begun = mark(flight, asked);
  if (!begun.ok()) flight.communicator->fail(begun);
  return begun;
}

// Ranks of one communicator that this thread drives, by the order in which every rank goes through communicators: where
// vendors' calls of two of them meet on one stream, another order elsewhere would stop both.
struct Cohort {
  std::size_t first, past;  // of what was sorted by communicator
};

std::vector<Cohort> cohorts_of(const std::vector<Asked>& all) {
  std::vector<Cohort> cohorts;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i == 0 || all[i].communicator->id() != all[i - 1].communicator->id()) cohorts.push_back({i, i});
    cohorts.back().past = i + 1;
  }
  return cohorts;
}

// The same call on all ranks of a cohort: `number` among those that are split.
std::vector<const Split*> row(const std::vector<std::vector<Split>>& splits, const Cohort& cohort, std::size_t number) {
  std::vector<const Split*> row;
  for (std::size_t i = cohort.first; i < cohort.past; ++i)
    if (number < splits[i].size()) row.push_back(&splits[i][number]);
  return row;
}

using Enqueue = Status (*)(std::span<const Split* const>);

Status for_all_rows(const std::vector<std::vector<Split>>& splits, const Cohort& cohort, Enqueue enqueue) {
  for (std::size_t number = 0;; ++number) {
    const std::vector<const Split*> calls = row(splits, cohort, number);
    if (calls.empty()) return {};
    AMALGAM_TRY(enqueue(calls));
  }
}

void fail_all(const std::vector<Asked>& all, const Cohort& cohort, const Status& reason) {
  for (std::size_t i = cohort.first; i < cohort.past; ++i) all[i].communicator->fail(reason);
}

Result<std::vector<Asked>> ask_all(std::span<Communicator* const> communicators, std::span<const Work> work) {
  std::vector<Asked> all;
  for (Communicator* communicator : communicators) {
    Result<Asked> asked = ask(*communicator, work);
    if (!asked) return asked.status();
    if (!asked->requests.empty()) all.push_back(asked.take());
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Asked& a, const Asked& b) { return a.communicator->id() < b.communicator->id(); });
  return all;
}

// A call that was begun is ended by its failure, which lets go what waits for it.
Status wait_all(const std::vector<Asked>& all, const std::vector<Waiting>& waiting,
                const std::vector<std::vector<Split>>& splits) {
  Status first;
  for (const Cohort& cohort : cohorts_of(all)) {
    Status ended = for_all_rows(splits, cohort, end_inside);
    if (!ended.ok()) fail_all(all, cohort, ended);
    if (first.ok()) first = std::move(ended);
  }
  for (const Waiting& one : waiting) {
    Status waits = wait(one);
    if (!waits.ok()) one.communicator->fail(waits);
    if (first.ok()) first = std::move(waits);
  }
  return first;
}

Result<StagedCall*> start_split(Communicator& communicator, const Request& request, std::uint64_t* sequence) {
  comm::Mixed& mixed = *communicator.mixed();
  const engine::Exchange exchange(request, mixed.hierarchy(), communicator.rank(), mixed.scratch());
  StagedCall* call = mixed.take_call();
  if (Status started = call->exchange().start(exchange, mixed.slice_bytes(), mixed); !started.ok()) {
    mixed.give_call(call);
    return started;
  }
  const std::uint64_t pieces = call->exchange().total();
  *sequence = next_sequence(communicator, request, pieces);
  Request shown = request;
  if (exchange.inside()) shown.scalar_at = nullptr;  // the calls inside read it
  call->start(shown, call->exchange(), {*sequence, communicator.next_serial(pieces)}, mixed.exchange_stage());
  return call;
}

Result<StagedCall*> start_whole(Communicator& communicator, const Request& request, std::uint64_t* sequence) {
  using engine::WholePieces;
  comm::Mixed& mixed = *communicator.mixed();
  WholePieces pieces(request, communicator.rank(), communicator.ranks(), mixed.piece_bytes());
  const bool copy = is_self(communicator, request);
  engine::StagedCall::Numbers numbers;
  if (!copy) {
    WholePieces::Program programs[2];
    for (int last : {0, 1}) {
      const auto found = communicator.plans().find(pieces.in_place(last == 1 ? pieces.size() - 1 : 0));
      if (!found) return found.status();
      programs[last] = {found->program, found->fp32};
    }
    pieces.set_programs(programs[0], programs[1], communicator.context());
    numbers = {next_sequence(communicator, request, pieces.size()), communicator.next_serial(pieces.size())};
  }
  *sequence = numbers.sequence;
  StagedCall* call = mixed.take_call();
  call->whole() = pieces;
  call->start(request, call->whole(), numbers, mixed.stage(request.collective), copy);
  return call;
}

}  // namespace

Result<StagedCall*> start_staged(Communicator& communicator, const Request& request, std::uint64_t* sequence) {
  return communicator.mixed()->splits(request) ? start_split(communicator, request, sequence)
                                               : start_whole(communicator, request, sequence);
}

// Streams first come to all gates and only then wait at them: a stream that two communicators share would otherwise
// wait for the one before it tells the other that it is there.
Status run_on_devices(std::span<Communicator* const> communicators, std::span<const Work> work) {
  Result<std::vector<Asked>> asked = ask_all(communicators, work);
  if (!asked) return asked.status();
  const std::vector<Asked>& all = *asked;
  std::vector<std::unique_ptr<Flight>> flights;
  std::vector<std::vector<Split>> splits;
  Status begun;
  for (std::size_t i = 0; i < all.size() && begun.ok(); ++i) {
    flights.push_back(std::make_unique<Flight>());
    flights.back()->communicator = all[i].communicator;
    flights.back()->track = all[i].communicator->make_staged_track();
    begun = begin(*flights.back(), all[i]);
    splits.push_back(splits_of(*flights.back()));
  }
  for (const Cohort& cohort : cohorts_of(all)) {
    if (!begun.ok()) break;
    begun = for_all_rows(splits, cohort, begin_inside);
    if (!begun.ok()) fail_all(all, cohort, begun);
  }
  if (!begun.ok()) {
    for (const std::unique_ptr<Flight>& flight : flights) give_back(*flight, false);
    return begun;
  }
  std::vector<Waiting> waiting;
  waiting.reserve(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) waiting.push_back(submit(std::move(flights[i]), all[i]));
  return wait_all(all, waiting, splits);
}

}  // namespace amalgam::launch
