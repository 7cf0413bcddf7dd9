#include "plan/check_outcome.h"

namespace amalgam::plan {
namespace {

void size_buffers(Collective collective, const CheckRequest& request, int ranks, int rank, Layout* layout) {
  const std::uint64_t all = request.count * static_cast<std::uint64_t>(ranks);
  layout->in_size = layout->out_size = request.count;
  switch (collective) {
    case Collective::kReduceScatter:
    case Collective::kScatter: layout->in_size = all; break;
    case Collective::kAllGather:
    case Collective::kGather: layout->out_size = all; break;
    case Collective::kAllToAll: layout->in_size = layout->out_size = all; break;
    case Collective::kAllToAllV:
      layout->in_size = Vectors{request, ranks}.in_size(rank);
      layout->out_size = Vectors{request, ranks}.out_size(rank);
      break;
    default: break;
  }
}

void overlap(Collective collective, const CheckRequest& request, int rank, Layout* layout) {
  const std::uint64_t block = request.count * static_cast<std::uint64_t>(rank);
  switch (collective) {
    case Collective::kAllReduce:
    case Collective::kReduce:
    case Collective::kBroadcast: layout->shared = true; break;
    case Collective::kAllGather:
    case Collective::kGather:
      layout->shared = layout->out_given;
      layout->in_offset = block;
      break;
    case Collective::kReduceScatter:
    case Collective::kScatter:
      layout->shared = layout->in_given;
      layout->out_offset = block;
      break;
    default: break;
  }
  if (!layout->shared) layout->in_offset = layout->out_offset = 0;
}

}  // namespace

Layout layout_of(Collective collective, const CheckRequest& request, int ranks, int rank) {
  Layout layout;
  const bool is_root = rank == request.root;
  size_buffers(collective, request, ranks, rank, &layout);
  if (collective == Collective::kBroadcast || collective == Collective::kScatter) layout.in_given = is_root;
  if (collective == Collective::kReduce || collective == Collective::kGather) layout.out_given = is_root;
  if (collective == Collective::kSend) layout.out_given = false;
  if (collective == Collective::kRecv) layout.in_given = false;
  if (request.in_place) overlap(collective, request, rank, &layout);
  return layout;
}

bool same_memory(const Actor& actor, const Layout& layout, const Instance& instance) {
  const Span &to = instance.to, &from = instance.from;
  if (to.buffer < 0 || from.buffer < 0) return false;
  if (to.scratch() || from.scratch()) return to.buffer == from.buffer && to.slot == from.slot;
  const Role a = actor.plan().buffers[static_cast<std::size_t>(to.buffer)].role;
  const Role b = actor.plan().buffers[static_cast<std::size_t>(from.buffer)].role;
  if (a != b && !layout.shared) return false;
  return to.first + (a == Role::kIn ? layout.in_offset : layout.out_offset) ==
         from.first + (b == Role::kIn ? layout.in_offset : layout.out_offset);
}

std::vector<Expected> expected_of(Collective collective, const CheckRequest& request, int ranks, int rank, int root) {
  const std::uint64_t count = request.count, block = count * static_cast<std::uint64_t>(rank);
  std::vector<Expected> all;
  switch (collective) {
    case Collective::kAllReduce: return {{0, count, Expected::kReduced, 0}};
    case Collective::kReduceScatter: return {{0, count, Expected::kReduced, block}};
    case Collective::kReduce:
      if (rank == root) return {{0, count, Expected::kReduced, 0}};
      return {};
    case Collective::kBroadcast: return {{0, count, root, 0}};
    case Collective::kScatter: return {{0, count, root, block}};
    case Collective::kRecv: return {{0, count, root, 0}};
    case Collective::kSend: return {};
    case Collective::kAllGather:
    case Collective::kGather:
      for (int q = 0; q < ranks && (collective == Collective::kAllGather || rank == root); ++q)
        all.push_back({static_cast<std::uint64_t>(q) * count, count, q, 0});
      return all;
    case Collective::kAllToAll:
      for (int q = 0; q < ranks; ++q) all.push_back({static_cast<std::uint64_t>(q) * count, count, q, block});
      return all;
    case Collective::kAllToAllV:
      for (int q = 0; q < ranks; ++q) {
        const Vectors vectors{request, ranks};
        all.push_back({vectors.out_first(q, rank), vectors.count(q, rank), q, vectors.in_first(q, rank)});
      }
      return all;
  }
  return all;
}

}  // namespace amalgam::plan
