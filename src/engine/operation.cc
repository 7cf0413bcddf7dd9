#include "engine/operation.h"

#include <fmt/format.h>

#include <algorithm>

namespace amalgam::engine {
namespace {

using plan::Action;
using plan::Dependency;
using plan::Order;
using plan::Role;

// What one stage moves before the others have their turn. Two slices: the fold of a slice then finds in its cache what
// the send has just read, and a peer is not left waiting while the whole window is filled (1 MiB on shm: 10 % faster).
constexpr std::size_t kTurnBytes = 131072;

// The wire's agreement word: same plan on the same cluster for the same call. Send and recv plans differ by nature and
// agree on the message's size instead.
std::uint32_t agreement_word(const Prepared& prepared, const Request& request, DataType called) {
  if (is_pair(request.collective)) return static_cast<std::uint32_t>(request.count * size_of(request.type));
  std::uint64_t word = prepared.agreement();
  const std::uint64_t parts[] = {request.count, static_cast<std::uint64_t>(called),
                                 static_cast<std::uint64_t>(request.op), static_cast<std::uint64_t>(request.root)};
  for (std::uint64_t part : parts) word = (word ^ part) * 0x9e3779b97f4a7c15ULL + (word >> 29);
  return static_cast<std::uint32_t>(word >> 32);
}

}  // namespace

Status Operation::start(const Prepared& prepared, const Request& called, std::uint64_t sequence, std::uint64_t serial,
                        Context& context, bool fp32) {
  if (fp32) AMALGAM_TRY(carrier_.bind(called, context.rank, context.ranks));
  const Request& request = fp32 ? carrier_.request() : called;
  const bool again = repeats(prepared, request, called.type);
  called_ = called.type;
  carried_ = fp32;
  prepared_ = &prepared;
  plan_ = &prepared.program().plan;
  context_ = &context;
  request_ = request;
  sequence_ = sequence;
  serial_ = serial;
  if (!again) AMALGAM_TRY(bind());
  unfinished_ = 0;
  for (StageRun& run : runs_) {
    run.started = run.done = run.step = run.chunk = 0;
    run.held = again && run.total == 1 && run.held_once;
    run.reserved = run.may_start = false;
    run.waits_on = nullptr;
    if (run.held && !run.pending.empty()) run.pending.front() = {};
    unfinished_ += run.total != 0;
  }
  return {};
}

// Training loops make the same calls again and again: then all that depends on the request but its pointers is still
// bound.
bool Operation::repeats(const Prepared& prepared, const Request& request, DataType called) const {
  return prepared_ == &prepared && called_ == called && request_.count == request.count &&
         request_.stride == request.stride && request_.type == request.type && request_.op == request.op &&
         request_.root == request.root && request_.scalar == request.scalar && request_.vectors == nullptr &&
         request.vectors == nullptr;
}

Status Operation::bind() {
  turn_elements_ = kTurnBytes / size_of(request_.type);
  tag_plan_ = agreement_word(*prepared_, request_, called_);
  layout_.bind(*prepared_, request_);
  pair_ = is_pair(request_.collective);
  empty_message_ = pair_ && request_.count == 0;
  reduction_ = reduce::Reduction{request_.type, ReduceOp::kSum, {}, {}};
  if (reduces(request_.collective))
    reduction_ = reduce::lower(request_.type, request_.op, context_->summands, plan_->wide, request_.scalar.data());
  pre_ = reduction_.pre.kind != reduce::Scale::Kind::kNone;
  AMALGAM_TRY(bind_scratch());
  runs_.resize(plan_->stages.size());
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    StageRun& run = runs_[i];
    const plan::Program::Step& range = prepared_->program().steps[i];
    run.first = range.first;
    run.steps = static_cast<std::uint64_t>(range.count);
    run.total = run.steps * layout_.chunks();
    run.held_once = false;
    if (plan_->stages[i].action == Action::kSend) run.pending.resize(kPending);
  }
  return {};
}

// Whether slices leave from scratch memory, by reference where the lane can.
bool Operation::sends_scratch() const {
  return plan_->credits == 0 && plan_->slice_bytes >= kReferenceFrom &&
         std::any_of(plan_->stages.begin(), plan_->stages.end(), [this](const plan::Stage& stage) {
           return stage.action == Action::kSend && plan_->buffers[stage.from.buffer].role == Role::kScratch;
         });
}

Status Operation::bind_scratch() {
  const std::size_t buffers = plan_->buffers.size();
  views_.resize(std::max(views_.size(), buffers));
  scratch_.assign(buffers, nullptr);
  const std::size_t slot = KeptMemory::aligned(plan_->slice_bytes);
  std::size_t needed = 0;
  for (std::size_t b = 0; b < buffers; ++b) {
    if (plan_->buffers[b].role != Role::kScratch) continue;
    const auto slots =
        static_cast<std::size_t>(prepared_->program().extents[b]) * static_cast<std::size_t>(plan_->window);
    if (prepared_->landing(static_cast<int>(b))) {
      views_[b].resize(slots);
    } else {
      needed += slots * slot;
    }
  }
  if (needed == 0) return {};
  std::byte* at = sends_scratch() ? shared_.reserve(needed) : memory_.reserve(needed);
  if (at == nullptr)
    return Status(Code::kSystem, fmt::format("no memory for the {} bytes of a plan's scratch", needed));
  for (std::size_t b = 0; b < buffers; ++b) {
    if (plan_->buffers[b].role != Role::kScratch || prepared_->landing(static_cast<int>(b))) continue;
    scratch_[b] = at;
    at += static_cast<std::size_t>(prepared_->program().extents[b]) * static_cast<std::size_t>(plan_->window) * slot;
  }
  return {};
}

Result<Progress> Operation::progress() {
  if (carried_ && !carrier_.load()) return Progress::kMoved;
  bool moved = false;
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    const StageRun& run = runs_[i];
    if (run.done == run.total || (run.waits_on != nullptr && run.waits_on->quiet())) continue;
    Result<bool> advanced = advance(static_cast<int>(i));
    if (!advanced) return advanced.status();
    moved |= *advanced;
    unfinished_ -= run.done == run.total;
  }
  if (unfinished_ == 0) return !carried_ || carrier_.store() ? Progress::kDone : Progress::kMoved;
  return moved ? Progress::kMoved : Progress::kIdle;
}

Result<bool> Operation::advance(int index) {
  StageRun& run = runs_[index];
  const plan::Stage& stage = plan_->stages[index];
  const std::uint64_t before = run.started + run.done;
  std::uint64_t turn = turn_elements_;
  while (run.started < run.total && run.started - run.done < kPending) {
    if (!run.held) hold(index, run);
    if (!run.at.vacuous) {
      if (!run.may_start && !(run.may_start = ready(index, run))) break;
      Result<bool> acted = act(run, stage);
      if (!acted) return acted;
      if (!*acted) break;
    }
    const bool outstanding = stage.action == Action::kSend && run.pending[run.started % kPending].slot != nullptr;
    if (!outstanding && run.done == run.started) ++run.done;
    ++run.started;
    run.held = false;
    run.waits_on = nullptr;
    next(run);
    if (run.at.range.count >= turn) break;
    turn -= run.at.range.count;
  }
  if (run.done != run.started) {
    Result<bool> reaped = reap(run);
    if (!reaped) return reaped;
  }
  return run.started + run.done != before;
}

// Works out the instance that comes next: once, however often it must be tried.
void Operation::hold(int index, StageRun& run) const {
  const plan::Stage& stage = plan_->stages[index];
  const bool send = stage.action == Action::kSend;
  Instance& at = run.at;
  at.what = prepared_->resolve(index, run.first + static_cast<std::int64_t>(run.step));
  at.chunk = run.chunk;
  at.range = {};
  if (at.what.active) {
    const plan::Range to = slice(stage.to, at.what.to, run.chunk);
    const plan::Range from = slice(stage.from, at.what.from, run.chunk);
    at.range = send ? from : to;
    at.to_element = to.first;
    at.from_element = from.first;
  }
  at.vacuous = !at.what.active || (at.range.count == 0 && !empty_message_);
  if (send) run.pending[run.started % kPending] = {};
  run.held = run.held_once = true;
  run.may_start = false;
}

void Operation::next(StageRun& run) const {
  std::uint64_t& inner = plan_->order == Order::kChunk ? run.step : run.chunk;
  std::uint64_t& outer = plan_->order == Order::kChunk ? run.chunk : run.step;
  const std::uint64_t limit = plan_->order == Order::kChunk ? run.steps : layout_.chunks();
  if (++inner == limit) {
    inner = 0;
    ++outer;
  }
}

// Counts the oldest outstanding sends as done, in order, as far as their peers have read them.
Result<bool> Operation::reap(StageRun& run) {
  while (run.done < run.started) {
    const Pending& pending = run.pending[run.done % kPending];
    if (pending.slot != nullptr) {
      Result<std::uint64_t> completed = pending.slot->lane->completed();
      if (!completed) return completed.status();
      if (*completed < pending.target) return true;
    }
    ++run.done;
  }
  return true;
}

bool Operation::ready(int index, const StageRun& run) const {
  const auto& after = plan_->stages[index].after;
  for (std::size_t i = 0; i < after.size(); ++i)
    if (!satisfied(after[i], index, static_cast<int>(i), run)) return false;
  return true;
}

bool Operation::satisfied(const Dependency& dependency, int index, int number, const StageRun& run) const {
  const StageRun& other = runs_[dependency.stage];
  if (other.done == other.total) return true;
  const auto distance =
      static_cast<std::uint64_t>(dependency.distance == Dependency::kWindow ? plan_->window : dependency.distance);
  if (run.chunk < distance) return true;
  const std::uint64_t chunk = run.chunk - distance;
  const std::int64_t step = run.first + static_cast<std::int64_t>(run.step);
  std::int64_t offset = 0;
  switch (dependency.which) {
    case Dependency::Step::kSame: offset = plan_->stages[dependency.stage].has_steps ? step - other.first : 0; break;
    case Dependency::Step::kAt: offset = prepared_->dependency_step(index, number, step) - other.first; break;
    case Dependency::Step::kAll: offset = static_cast<std::int64_t>(other.steps) - 1; break;
  }
  if (offset < 0 || offset >= static_cast<std::int64_t>(other.steps)) return true;
  const auto at = static_cast<std::uint64_t>(offset);
  const std::uint64_t instance =
      plan_->order == Order::kChunk ? chunk * other.steps + at : at * layout_.chunks() + chunk;
  return other.done > instance;
}

}  // namespace amalgam::engine
