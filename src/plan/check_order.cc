#include "plan/check_order.h"

#include <algorithm>

namespace amalgam::plan {

History::History(const Unfolded& all, int of, Reach reach)
    : all_(all),
      of_(of),
      reach_(reach),
      width_(all.actors[static_cast<std::size_t>(of)].instances.size()),
      begin_(width_) {
  done_.resize(all.actors.size());
  for (std::size_t a = 0; a < all.actors.size(); ++a) {
    if (reach == Reach::kOwn && static_cast<int>(a) != of) continue;
    for (const auto& stage : all.actors[a].instances) done_[a].emplace_back(stage.size() * width_);
  }
}

void History::join(const std::int64_t* other) {
  for (std::size_t x = 0; x < width_; ++x) begin_[x] = std::max(begin_[x], other[x]);
}

// What was over when the matching send began: all that is over at its end, less the send itself.
void History::join_message(const Instance& instance) {
  const Lane::End& end = all_.lanes[static_cast<std::size_t>(instance.lane)].send;
  const std::int64_t index = end.index[static_cast<std::size_t>(instance.position)];
  std::int64_t* clock = done(end.actor, end.stage, index);
  if (end.actor != of_) return join(clock);
  auto& own = clock[static_cast<std::size_t>(end.stage)];
  --own;
  join(clock);
  ++own;
}

void History::run(const Event& event) {
  const Actor& actor = all_.actors[static_cast<std::size_t>(event.actor)];
  const auto x = static_cast<std::size_t>(event.at.stage);
  const Instance& instance = actor.instances[x][static_cast<std::size_t>(event.at.index)];
  std::fill(begin_.begin(), begin_.end(), 0);
  if (event.at.index > 0) join(done(event.actor, event.at.stage, event.at.index - 1));
  if (!instance.vacuous) {
    for (const Dependency& dependency : actor.plan().stages[x].after) {
      const std::int64_t count = needed(actor, dependency, instance);
      if (count > 0) join(done(event.actor, dependency.stage, count - 1));
    }
    if (reach_ == Reach::kAll && receives(actor.plan().stages[x].action)) join_message(instance);
  }
  std::int64_t* end = done(event.actor, event.at.stage, event.at.index);
  std::copy(begin_.begin(), begin_.end(), end);
  if (event.actor == of_) end[x] = event.at.index + 1;
}

}  // namespace amalgam::plan
