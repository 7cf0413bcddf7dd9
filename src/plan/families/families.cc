#include "plan/families/families.h"

#include <fmt/format.h>

#include <array>
#include <cassert>

namespace amalgam::plan {

Draft::Draft(const char* family, const Mold& mold, Order order, int credits, bool wide)
    : text_(fmt::format(
          "plan {0}.{1}\ncollective {0}\nranks {2}\norder {3}\nslice {4}\nwindow {5}\ncredits {6}\naccumulate {7}\n",
          name_of(mold.collective), family, mold.ranks, order == Order::kChunk ? "chunk" : "step", mold.slice,
          mold.window, credits, wide ? "wide" : "hop")) {}

Plan Draft::finish() && {
  auto plan = parse(text_ + "end\n");
  assert(plan.ok());
  return plan.ok() ? plan.take() : Plan();
}

namespace {

const char* shape_at(Collective collective, Role role) {
  switch (collective) {
    case Collective::kAllToAllV: return "vector N";
    case Collective::kAllToAll: return "blocks N";
    case Collective::kReduceScatter:
    case Collective::kScatter: return role == Role::kIn ? "blocks N" : "whole";
    case Collective::kAllGather:
    case Collective::kGather: return role == Role::kOut ? "blocks N" : "whole";
    default: return "whole";
  }
}

}  // namespace

Plan local_plan(const Mold& mold) {
  Draft draft("local", mold, Order::kChunk);
  draft.line("buffer in user ", shape_at(mold.collective, Role::kIn));
  draft.line("buffer out user ", shape_at(mold.collective, Role::kOut));
  draft.line("stage own copy out = in", reduces(mold.collective) ? " finish" : "");
  return std::move(draft).finish();
}

std::span<const Family* const> all_families() {
  static constexpr std::array<const Family*, 7> kAll = {&kDoubling, &kDirect,   &kRing, &kTree,
                                                        &kChain,    &kPairwise, &kPair};
  return kAll;
}

}  // namespace amalgam::plan
