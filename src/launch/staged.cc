#include "launch/staged.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "engine/staged_track.h"
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
  std::vector<const void*> streams;
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
    if (std::find(asked.streams.begin(), asked.streams.end(), request.stream) != asked.streams.end()) continue;
    AMALGAM_TRY(check_capture(communicator, request.stream));
    asked.streams.push_back(request.stream);
  }
  return asked;
}

Status fill(Flight& flight, const Asked& asked) {
  Communicator& communicator = *flight.communicator;
  for (const Request& request : asked.requests) {
    std::uint64_t sequence = 0;
    Result<StagedCall*> call = start_staged(communicator, request, &sequence);
    if (!call) return call.status();
    flight.items.push_back({*call, enter(communicator, request, sequence, now_ns())});
    flight.track->add(*call, request.collective);
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
  for (Gate* gate : flight.track->gates()) {
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
    AMALGAM_TRY((*gate)->mark(stream_of(stream)));
    flight.track->add_gate(*gate);
  }
  return {};
}

// A submitted flight: its streams are still to wait.
struct Waiting {
  Communicator* communicator;
  std::vector<std::pair<Gate*, const void*>> gates;
};

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

}  // namespace

Result<StagedCall*> start_staged(Communicator& communicator, const Request& request, std::uint64_t* sequence) {
  comm::Mixed& mixed = *communicator.mixed();
  StagedCall::Plan plan;
  plan.pieces = engine::Pieces(request, communicator.rank(), communicator.ranks(), mixed.piece_bytes());
  const std::uint64_t pieces = plan.pieces.size();
  if (!is_self(communicator, request)) {
    for (StagedCall::Program* program : {&plan.program, &plan.last}) {
      const auto found = communicator.plans().find(plan.pieces.in_place(program == &plan.last ? pieces - 1 : 0));
      if (!found) return found.status();
      *program = {found->program, found->fp32};
    }
    plan.sequence = next_sequence(communicator, request, pieces);
    plan.serial = communicator.next_serial(pieces);
  }
  *sequence = plan.sequence;
  StagedCall* call = mixed.take_call();
  call->start(request, std::move(plan), communicator.context(), mixed.stage(request.collective));
  return call;
}

// Streams first come to all gates and only then wait at them: a stream that two communicators share would otherwise
// wait for the one before it tells the other that it is there.
Status run_on_devices(std::span<Communicator* const> communicators, std::span<const Work> work) {
  std::vector<Asked> all;
  for (Communicator* communicator : communicators) {
    Result<Asked> asked = ask(*communicator, work);
    if (!asked) return asked.status();
    if (!asked->requests.empty()) all.push_back(asked.take());
  }
  std::vector<std::unique_ptr<Flight>> flights;
  Status begun;
  for (std::size_t i = 0; i < all.size() && begun.ok(); ++i) {
    flights.push_back(std::make_unique<Flight>());
    flights.back()->communicator = all[i].communicator;
    flights.back()->track = all[i].communicator->make_staged_track();
    begun = begin(*flights.back(), all[i]);
  }
  if (!begun.ok()) {
    for (const std::unique_ptr<Flight>& flight : flights) give_back(*flight, false);
    return begun;
  }
  std::vector<Waiting> waiting;
  waiting.reserve(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) waiting.push_back(submit(std::move(flights[i]), all[i]));
  Status first;
  for (const Waiting& one : waiting) {
    Status waits = wait(one);
    if (!waits.ok()) one.communicator->fail(waits);
    if (first.ok()) first = std::move(waits);
  }
  return first;
}

}  // namespace amalgam::launch
