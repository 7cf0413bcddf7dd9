// What an instance does once it may start: the five actions of a plan on real memory and lanes.

#include "engine/operation.h"

namespace amalgam::engine {
namespace {

using plan::Action;
using plan::Role;

template <typename Slot>
std::uint32_t position_of(Slot& slot, std::uint64_t serial) {
  if (slot.operation != serial) {
    slot.operation = serial;
    slot.position = 0;
  }
  return slot.position;
}

}  // namespace

transport::SliceTag Operation::tag(std::uint32_t position, std::uint64_t bytes) const {
  return {context_->communicator_tag, tag_plan_, sequence_, position, static_cast<std::uint32_t>(bytes)};
}

int Operation::channel(const plan::Stage& stage) const { return pair_ ? kPairChannel : stage.channel; }

std::uint64_t Operation::row_slot(std::int64_t row, std::uint64_t chunk) const {
  const auto window = static_cast<std::uint64_t>(plan_->window);
  return static_cast<std::uint64_t>(row) * window + chunk % window;
}

plan::Range Operation::slice(const plan::Operand& operand, std::int64_t part, std::uint64_t chunk) const {
  return operand.buffer < 0 ? plan::Range{} : layout_.slice(operand.buffer, part, chunk);
}

std::byte* Operation::address(const plan::Operand& operand, std::int64_t part, std::uint64_t chunk,
                              std::uint64_t element) const {
  if (plan_->buffers[operand.buffer].role == Role::kScratch)
    return scratch_[operand.buffer] + row_slot(part, chunk) * KeptMemory::aligned(plan_->slice_bytes);
  return layout_.user_address(operand.buffer, element);
}

bool Operation::prescaled(const plan::Operand& operand) const {
  return pre_ && plan_->buffers[operand.buffer].role == Role::kIn;
}

Result<bool> Operation::act(StageRun& run, const plan::Stage& stage) {
  switch (stage.action) {
    case Action::kSend: return act_send(run, stage);
    case Action::kRecv: return act_recv(run, stage);
    case Action::kReduce: return act_reduce(run, stage);
    case Action::kSum: act_sum(run.at, stage); return true;
    case Action::kCopy: act_copy(run.at, stage); return true;
  }
  return Status(Code::kInternal, "plan stage without an action");
}

Result<bool> Operation::act_send(StageRun& run, const plan::Stage& stage) {
  const Instance& at = run.at;
  auto opened = context_->lanes->send(context_->peer(at.what.peer), channel(stage));
  if (!opened) return opened.status();
  SendSlot& slot = **opened;
  const std::byte* source = from(at, stage);
  const ConstBytes bytes(source, at.range.count * layout_.element_bytes());
  const transport::SliceTag what = tag(position_of(slot, serial_), bytes.size());
  Pending& pending = run.pending[run.started % kPending];
  Result<bool> sent = false;
  if (prescaled(stage.from)) {
    if (!run.reserved) {
      Result<std::byte*> room = slot.lane->reserve(what);
      if (!room) return room.status();
      slot.stuck = *room == nullptr;
      if (slot.stuck) return false;
      reduce::copy(reduction_, *room, source, at.range.count, true, false);
      run.reserved = true;
    }
    sent = slot.lane->commit(what);
  } else if (plan_->credits == 0 && bytes.size() >= kReferenceFrom && slot.lane->can_reference(bytes)) {
    sent = slot.lane->send_reference(what, bytes);
    if (sent && *sent) pending = {&slot, slot.issued + 1};
  } else {
    sent = slot.lane->send(what, bytes);
  }
  slot.stuck = sent && !*sent;
  if (!sent || !*sent) return sent;
  run.reserved = false;
  ++slot.issued;
  ++slot.position;
  context_->counters->sent_bytes += bytes.size();
  ++context_->counters->messages;
  return true;
}

Result<bool> Operation::act_recv(StageRun& run, const plan::Stage& stage) {
  const Instance& at = run.at;
  auto opened = context_->lanes->receive(context_->peer(at.what.peer), channel(stage));
  if (!opened) return opened.status();
  ReceiveSlot& slot = **opened;
  run.waits_on = slot.lane.get();
  const std::uint64_t bytes = at.range.count * layout_.element_bytes();
  const transport::SliceTag expected = tag(position_of(slot, serial_), bytes);
  const int buffer = stage.to.buffer;
  if (prepared_->landing(buffer)) {
    Result<const std::byte*> view = slot.lane->view(expected);
    if (!view) return view.status();
    if (*view == nullptr) return false;
    views_[buffer][row_slot(at.what.to, at.chunk)] = {*view, slot.lane.get()};
  } else {
    Result<bool> received = slot.lane->receive(expected, Bytes(to(at, stage), bytes));
    if (!received || !*received) return received;
  }
  ++slot.position;
  context_->counters->received_bytes += bytes;
  return true;
}

Result<bool> Operation::act_reduce(StageRun& run, const plan::Stage& stage) {
  const Instance& at = run.at;
  auto opened = context_->lanes->receive(context_->peer(at.what.peer), channel(stage));
  if (!opened) return opened.status();
  ReceiveSlot& slot = **opened;
  run.waits_on = slot.lane.get();
  const std::uint64_t bytes = at.range.count * layout_.element_bytes();
  Result<const std::byte*> view = slot.lane->view(tag(position_of(slot, serial_), bytes));
  if (!view) return view.status();
  if (*view == nullptr) return false;
  const void* operands[] = {from(at, stage), *view};
  reduce::fold(reduction_, to(at, stage), operands, at.range.count, prescaled(stage.from) ? 0 : -1, stage.finish);
  slot.lane->release();
  ++slot.position;
  context_->counters->received_bytes += bytes;
  context_->counters->folded_bytes += bytes;
  return true;
}

void Operation::act_sum(const Instance& at, const plan::Stage& stage) {
  const auto ranks = static_cast<std::size_t>(context_->ranks);
  std::vector<View>& landed = views_[stage.land];
  operands_.resize(ranks);
  for (std::size_t r = 0; r < ranks; ++r) {
    const bool own = static_cast<int>(r) == context_->rank;
    operands_[r] = own ? from(at, stage) : landed[row_slot(static_cast<std::int64_t>(r), at.chunk)].data;
  }
  reduce::fold(reduction_, to(at, stage), operands_, at.range.count, prescaled(stage.from) ? context_->rank : -1,
               stage.finish);
  for (std::size_t r = 0; r < ranks; ++r)
    if (static_cast<int>(r) != context_->rank) landed[row_slot(static_cast<std::int64_t>(r), at.chunk)].lane->release();
  context_->counters->folded_bytes += at.range.count * layout_.element_bytes();
}

void Operation::act_copy(const Instance& at, const plan::Stage& stage) {
  std::byte* destination = to(at, stage);
  const std::byte* source = from(at, stage);
  const bool pre = prescaled(stage.from);
  const bool post = stage.finish && reduction_.post.kind != reduce::Scale::Kind::kNone;
  if (destination == source && !pre && !post) return;
  reduce::copy(reduction_, destination, source, at.range.count, pre, post);
  if (destination != source) context_->counters->copied_bytes += at.range.count * layout_.element_bytes();
}

}  // namespace amalgam::engine
