// Collectives that a library lacks, as one group of its sends and receives.

#include "plugins/island/nccl_shaped/island.h"

namespace amalgam::nccl_shaped {
namespace {

// What this rank and one peer give each other: elements, and where they begin in its buffers. A null count: nothing,
// and the other side does not wait.
struct Part {
  std::uint64_t elements = 0;
  std::uint64_t offset = 0;
  bool wanted = false;
};
struct Pair {
  Part to, from;
};

Pair all_to_all_v(const Request& r, int peer) {
  const auto at = static_cast<std::size_t>(peer);
  const Request::Vectors& v = *r.vectors;
  return {{v.send_counts[at], v.send_offsets[at], true}, {v.receive_counts[at], v.receive_offsets[at], true}};
}

Pair all_to_all(const Request& r, int peer) {
  const std::uint64_t offset = r.count * static_cast<std::uint64_t>(peer);
  return {{r.count, offset, true}, {r.count, offset, true}};
}

// At the root every peer's block lies in the wide buffer, this rank's part is its whole other buffer.
Pair rooted(const Request& r, int rank, int peer) {
  const bool gather = r.collective == Collective::kGather;
  const Part mine{r.count, 0, peer == r.root};
  const Part block{r.count, r.count * static_cast<std::uint64_t>(peer), rank == r.root};
  return gather ? Pair{mine, block} : Pair{block, mine};
}

}  // namespace

template <typename OfPeer>
Status Island::exchange(const OfPeer& of_peer) {
  AMALGAM_TRY(library_.group_start());
  Status first;
  for (int peer = 0; peer < ranks_ && first.ok(); ++peer) first = of_peer(peer);
  Status ended = library_.group_end();
  return first.ok() ? std::move(ended) : std::move(first);
}

Status Island::compose(const Request& r, int type) {
  const std::uint64_t size = size_of(r.type);
  void* stream = const_cast<void*>(r.stream);
  const auto* in = static_cast<const std::byte*>(r.in);
  auto* out = static_cast<std::byte*>(r.out);
  return exchange([&](int peer) -> Status {
    const Pair pair = r.collective == Collective::kAllToAllV  ? all_to_all_v(r, peer)
                      : r.collective == Collective::kAllToAll ? all_to_all(r, peer)
                                                              : rooted(r, rank_, peer);
    if (pair.to.wanted)
      AMALGAM_TRY(library_.status_of(
          "ncclSend", calls_.Send(in + pair.to.offset * size, pair.to.elements, type, peer, comm_, stream)));
    if (pair.from.wanted)
      AMALGAM_TRY(library_.status_of(
          "ncclRecv", calls_.Recv(out + pair.from.offset * size, pair.from.elements, type, peer, comm_, stream)));
    return {};
  });
}

}  // namespace amalgam::nccl_shaped
