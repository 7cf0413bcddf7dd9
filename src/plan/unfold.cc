#include "plan/unfold.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "plan/cut.h"

namespace amalgam::plan {
namespace {

constexpr std::int64_t kMostInstances = std::int64_t{1}
                                        << 26;  // the caller chooses counts: more is a mistake, not a plan

Status wrong(std::string text) { return Status(Code::kInternal, std::move(text)); }

// Where parts and slices of one actor's buffers lie.
class Geometry {
 public:
  Geometry(const Actor& actor, const CheckRequest& request, int ranks) : actor_(actor), request_(request) {
    if (actor.plan().collective != Collective::kAllToAllV) return;
    const Vectors vectors{request, ranks};
    for (int p = 0; p < ranks; ++p) {
      in_.push_back({vectors.in_first(actor.rank, p), vectors.count(actor.rank, p)});
      out_.push_back({vectors.out_first(p, actor.rank), vectors.count(p, actor.rank)});
    }
  }

  std::int64_t chunks() const {
    std::uint64_t largest = 0;
    for (std::size_t b = 0; b < actor_.plan().buffers.size(); ++b) {
      if (actor_.plan().buffers[b].role == Role::kScratch) continue;
      for (std::int64_t i = 0; i < parts(static_cast<int>(b)); ++i) {
        largest = std::max(largest, part(static_cast<int>(b), i).count);
        if (actor_.plan().buffers[b].shape != Shape::kVector) break;  // the first part is the largest
      }
    }
    const std::uint64_t slice = actor_.slice_elements;
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(largest / slice + (largest % slice != 0)));
  }

  // Part or row `index` of `buffer` at `chunk`; false when there is no such part.
  bool resolve(int buffer, std::int64_t index, std::int64_t chunk, Span* span) const {
    if (index < 0 || index >= parts(buffer)) return false;
    const Buffer& at = actor_.plan().buffers[static_cast<std::size_t>(buffer)];
    span->buffer = buffer;
    if (at.role != Role::kScratch) {
      const Range whole = part(buffer, index);
      const Range slice = slice_of(whole.count, static_cast<std::uint64_t>(chunk), actor_.slice_elements);
      span->first = whole.first + slice.first;
      span->count = slice.count;
      return true;
    }
    span->slot = index * actor_.plan().window + chunk % actor_.plan().window;
    const std::int64_t like = at.like_part.evaluate({actor_.rank, actor_.plan().ranks, 0, actor_.root});
    if (at.like < 0 || like < 0 || like >= parts(at.like)) return false;
    span->count = slice_of(part(at.like, like).count, static_cast<std::uint64_t>(chunk), actor_.slice_elements).count;
    return true;
  }

  std::int64_t parts(int buffer) const {
    const Buffer& at = actor_.plan().buffers[static_cast<std::size_t>(buffer)];
    if (at.role != Role::kScratch && at.shape == Shape::kWhole) return 1;
    return actor_.program.extents[static_cast<std::size_t>(buffer)];
  }

 private:
  Range part(int buffer, std::int64_t index) const {
    const Buffer& at = actor_.plan().buffers[static_cast<std::size_t>(buffer)];
    const auto i = static_cast<std::uint64_t>(index);
    switch (at.shape) {
      case Shape::kWhole: return {0, request_.count};
      case Shape::kBlocks: return {i * request_.count, request_.count};
      case Shape::kCut:
        return cut_evenly(request_.count, static_cast<std::uint64_t>(parts(buffer)), i, request_.element_bytes);
      case Shape::kVector: break;
    }
    const std::vector<Range>& blocks = at.role == Role::kIn ? in_ : out_;
    return i < blocks.size() ? blocks[i] : Range{};
  }

  const Actor& actor_;
  const CheckRequest& request_;
  std::vector<Range> in_, out_;  // alltoallv: blocks
};

class Unfolder {
 public:
  Unfolder(const Plan& plan, const CheckRequest& request) : plan_(plan) {
    all_.request = request;
    all_.ranks = plan.ranks;
  }

  Result<Unfolded> run() {
    AMALGAM_TRY(validate(plan_));
    AMALGAM_TRY(cast());
    for (std::size_t a = 0; a < all_.actors.size(); ++a) AMALGAM_TRY(fill(static_cast<int>(a)));
    AMALGAM_TRY(pair());
    return std::move(all_);
  }

  Result<Unfolded> run_one(int rank) {
    AMALGAM_TRY(validate(plan_));
    add(plan_, rank, all_.request.root);
    AMALGAM_TRY(fill(0));
    return std::move(all_);
  }

 private:
  Status cast() {
    const CheckRequest& request = all_.request;
    if (request.element_bytes == 0 || request.root < 0 || request.root >= plan_.ranks)
      return Status(Code::kInvalidArgument, "the request has no such root or an element of no bytes");
    if (request.count > (std::uint64_t{1} << 40)) return Status(Code::kInvalidArgument, "count above 2^40");
    if (is_pair(plan_.collective)) return cast_pair();
    for (int r = 0; r < plan_.ranks; ++r) add(plan_, r, request.root);
    return {};
  }

  // Rank root runs the plan; the next rank runs the other half, which has the same order, slice, window and credits.
  Status cast_pair() {
    const bool sends = plan_.collective == Collective::kSend;
    const int here = all_.request.root;
    const int there = (here + 1) % plan_.ranks;
    Result<Plan> other = parse(fmt::format(
        "plan {0}.pair\ncollective {0}\nranks {1}\norder {2}\nslice {3}\nwindow {4}\ncredits {5}\naccumulate hop\n"
        "buffer {6} user whole\nstage other channel 0 {7}\nend\n",
        sends ? "recv" : "send", plan_.ranks, plan_.order == Order::kChunk ? "chunk" : "step", plan_.slice_bytes,
        plan_.window, plan_.credits, sends ? "out" : "in", sends ? "recv out <- root" : "send in -> root"));
    if (!other) return other.status();
    add(plan_, here, there);
    add(*other, there, here);
    return {};
  }

  void add(const Plan& plan, int rank, int root) {
    Actor actor;
    actor.program = project(plan, rank, root);
    actor.rank = rank;
    actor.root = root;
    actor.slice_elements = std::max<std::uint64_t>(1, plan.slice_bytes / all_.request.element_bytes);
    all_.actors.push_back(std::move(actor));
  }

  Status fill(int which) {
    Actor& actor = all_.actors[static_cast<std::size_t>(which)];
    const Geometry geometry(actor, all_.request, all_.ranks);
    actor.chunks = geometry.chunks();
    actor.instances.resize(actor.plan().stages.size());
    for (std::size_t x = 0; x < actor.plan().stages.size(); ++x) {
      const std::int64_t steps = std::max<std::int64_t>(0, actor.program.steps[x].count);
      if (steps > 0 && actor.chunks > kMostInstances / steps)
        return Status(Code::kInvalidArgument, "too many instances to check");
      total_ += steps * actor.chunks;
      if (total_ > kMostInstances) return Status(Code::kInvalidArgument, "too many instances to check");
      actor.instances[x].reserve(static_cast<std::size_t>(steps * actor.chunks));
      for (std::int64_t i = 0; i < steps * actor.chunks; ++i) {
        Instance instance;
        const bool by_chunk = actor.plan().order == Order::kChunk;
        instance.step = actor.program.steps[x].first + (by_chunk ? i % steps : i / actor.chunks);
        instance.chunk = by_chunk ? i / steps : i % actor.chunks;
        AMALGAM_TRY(resolve(actor, geometry, static_cast<int>(x), &instance));
        if (instance.peer >= 0) AMALGAM_TRY(join_lane(which, static_cast<int>(x), &instance, i));
        actor.instances[x].push_back(instance);
      }
    }
    return {};
  }

  Status resolve(const Actor& actor, const Geometry& geometry, int x, Instance* instance) {
    const Stage& stage = actor.plan().stages[static_cast<std::size_t>(x)];
    const Variables at{actor.rank, all_.ranks, instance->step, actor.root};
    if (!stage.when.valid_at(at)) return wrong(describe(actor, x, *instance) + ": its condition has no value");
    if (stage.when.evaluate(at) == 0) {
      instance->vacuous = true;
      return {};
    }
    const auto operand = [&](const Operand& what, Span* span) {
      return what.part.valid_at(at) && geometry.resolve(what.buffer, what.part.evaluate(at), instance->chunk, span);
    };
    const bool has_to = stage.action != Action::kSend, has_from = stage.action != Action::kRecv;
    if ((has_to && !operand(stage.to, &instance->to)) || (has_from && !operand(stage.from, &instance->from)))
      return wrong(describe(actor, x, *instance) + ": names a part or row that its buffer does not have");
    instance->elements = has_to ? instance->to.count : instance->from.count;
    if (has_to && has_from && instance->to.count != instance->from.count)
      return wrong(fmt::format("{}: {} elements from {}", describe(actor, x, *instance), instance->to.count,
                               instance->from.count));
    if (stage.action == Action::kSum) AMALGAM_TRY(check_land(actor, geometry, x, *instance));
    for (const Dependency& dependency : stage.after)
      if (!dependency.step.valid_at(at))
        return wrong(describe(actor, x, *instance) + ": a dependency's step has no value");
    instance->vacuous = instance->elements == 0;
    if (instance->vacuous || (stage.action != Action::kSend && !receives(stage.action))) return {};
    const std::int64_t peer = stage.peer.evaluate(at);
    if (!stage.peer.valid_at(at) || peer < 0 || peer >= all_.ranks)
      return wrong(fmt::format("{}: there is no rank {}", describe(actor, x, *instance), peer));
    instance->peer = static_cast<int>(peer);
    return {};
  }

  Status check_land(const Actor& actor, const Geometry& geometry, int x, const Instance& instance) {
    const Stage& stage = actor.plan().stages[static_cast<std::size_t>(x)];
    Span row;
    for (int p = 0; p < all_.ranks; ++p) {
      if (p == actor.rank) continue;
      if (!geometry.resolve(stage.land, p, instance.chunk, &row))
        return wrong(fmt::format("{}: scratch has no row {}", describe(actor, x, instance), p));
      if (row.count != instance.elements)
        return wrong(fmt::format("{}: {} elements from a row of {}", describe(actor, x, instance), instance.elements,
                                 row.count));
    }
    return {};
  }

  Status join_lane(int actor, int x, Instance* instance, std::int64_t index) {
    const Actor& self = all_.actors[static_cast<std::size_t>(actor)];
    const Stage& stage = self.plan().stages[static_cast<std::size_t>(x)];
    const bool sends = stage.action == Action::kSend;
    const int sender = sends ? self.rank : instance->peer, receiver = sends ? instance->peer : self.rank;
    const auto [at, added] = index_.try_emplace({sender, receiver, stage.channel}, static_cast<int>(all_.lanes.size()));
    if (added) {
      all_.lanes.emplace_back();
      all_.lanes.back().sender = sender;
      all_.lanes.back().receiver = receiver;
      all_.lanes.back().channel = stage.channel;
    }
    Lane& lane = all_.lanes[static_cast<std::size_t>(at->second)];
    Lane::End& end = sends ? lane.send : lane.receive;
    if (end.actor < 0) {
      end.actor = actor;
      end.stage = x;
    }
    if (end.stage != x)
      return wrong(
          fmt::format("{}: stage {} already uses this lane ({} to {}, channel {})", describe(self, x, *instance),
                      self.plan().stages[static_cast<std::size_t>(end.stage)].name, sender, receiver, stage.channel));
    instance->lane = at->second;
    instance->position = static_cast<std::int64_t>(end.index.size());
    end.index.push_back(index);
    return {};
  }

  // Both ends of every lane must have the same sequence of (chunk, length); the range itself is judged by its content.
  Status pair() {
    for (const Lane& lane : all_.lanes) {
      const std::size_t common = std::min(lane.send.index.size(), lane.receive.index.size());
      for (std::size_t j = 0; j < common; ++j) {
        const Instance& sent = at(lane.send, j);
        const Instance& expected = at(lane.receive, j);
        if (sent.chunk == expected.chunk && sent.elements == expected.elements) continue;
        return wrong(fmt::format(
            "{} expects slice {} of its lane from rank {} to be chunk {} of {} elements, but {} sends {} elements",
            name(lane.receive, j), j, lane.sender, expected.chunk, expected.elements, name(lane.send, j),
            sent.elements));
      }
      if (lane.send.index.size() > common)
        return wrong(fmt::format("{}: rank {} never receives it", name(lane.send, common), lane.receiver));
      if (lane.receive.index.size() > common)
        return wrong(fmt::format("{}: rank {} never sends it", name(lane.receive, common), lane.sender));
    }
    return {};
  }

  const Instance& at(const Lane::End& end, std::size_t position) const {
    return all_.actors[static_cast<std::size_t>(end.actor)]
        .instances[static_cast<std::size_t>(end.stage)][static_cast<std::size_t>(end.index[position])];
  }
  std::string name(const Lane::End& end, std::size_t position) const {
    return describe(all_.actors[static_cast<std::size_t>(end.actor)], end.stage, at(end, position));
  }

  const Plan& plan_;
  Unfolded all_;
  std::int64_t total_ = 0;
  std::map<std::tuple<int, int, int>, int> index_;
};

}  // namespace

Result<Unfolded> unfold(const Plan& plan, const CheckRequest& request) { return Unfolder(plan, request).run(); }

Result<Unfolded> unfold_rank(const Plan& plan, int rank, const CheckRequest& request) {
  return Unfolder(plan, request).run_one(rank);
}

bool receives(Action action) { return action == Action::kRecv || action == Action::kReduce; }

std::uint64_t Vectors::count(int from, int to) const {
  const auto less = static_cast<std::uint64_t>((from + 2 * to) % 3);
  return request.count - std::min(request.count, less);
}

std::uint64_t Vectors::in_first(int from, int to) const {
  std::uint64_t first = 1;
  for (int p = 0; p < to; ++p) first += count(from, p) + 1;
  return first;
}

std::uint64_t Vectors::out_first(int from, int to) const {
  std::uint64_t first = 0;
  for (int p = ranks - 1; p > from; --p) first += count(p, to) + 1;
  return first;
}

std::string describe(const Actor& actor, int stage, const Instance& instance) {
  return fmt::format("rank {} stage {} step {} chunk {}", actor.rank,
                     actor.plan().stages[static_cast<std::size_t>(stage)].name, instance.step, instance.chunk);
}

std::int64_t needed(const Actor& actor, const Dependency& dependency, const Instance& instance) {
  const auto x = static_cast<std::size_t>(dependency.stage);
  const Program::Step& range = actor.program.steps[x];
  const std::int64_t back = dependency.distance == Dependency::kWindow ? actor.plan().window : dependency.distance;
  const std::int64_t chunk = instance.chunk - back;
  std::int64_t step = 0;
  switch (dependency.which) {
    case Dependency::Step::kSame: step = actor.plan().stages[x].has_steps ? instance.step : 0; break;
    case Dependency::Step::kAll: step = range.first + range.count - 1; break;
    case Dependency::Step::kAt:
      step = dependency.step.evaluate({actor.rank, actor.plan().ranks, instance.step, actor.root});
      break;
  }
  if (chunk < 0 || range.count <= 0 || step < range.first || step >= range.first + range.count) return 0;
  const std::int64_t offset = step - range.first;
  return 1 + (actor.plan().order == Order::kChunk ? chunk * range.count + offset : offset * actor.chunks + chunk);
}

}  // namespace amalgam::plan
