// Split and shrink: new communicators from an old one's ranks.
//
// Split gathers (color, key) over the parent's tree; who belongs together and in which order follows on every rank
// alike. Shrink gathers nothing: its members know the excluded ranks, and the others may be dead. Both then join a
// group whose id is derived from the parent's secret, led by the lowest new rank.

#include <fmt/format.h>

#include <algorithm>

#include "base/wire.h"
#include "comm/communicator.h"

namespace amalgam::comm {
namespace {

struct Choice {
  std::int32_t color = -1;
  std::int32_t key = 0;
  int rank = 0;
};

Result<Communicator*> make_child(Communicator& parent, const std::string& label, const std::vector<int>& members,
                                 const CommConfig& config) {
  Result<bootstrap::UniqueId> id = parent.derive_id(label, members.front());
  if (!id) return id.status();
  Communicator::Membership membership;
  membership.id = *id;
  membership.rank = static_cast<int>(std::find(members.begin(), members.end(), parent.rank()) - members.begin());
  membership.ranks = static_cast<int>(members.size());
  membership.stack = parent.stack();
  auto* child = new Communicator(membership, config);
  const Status joined = child->join(&parent);
  if (joined.ok()) return child;
  child->release();
  return joined;
}

}  // namespace

Result<Communicator*> make_split(Communicator& parent, int color, int key, const CommConfig& config) {
  const int number = parent.next_split();
  auto gathered = parent.allgather(Writer().integer<std::int32_t>(color).integer<std::int32_t>(key).take());
  if (!gathered) return gathered.status();
  std::vector<Choice> same;
  for (std::size_t r = 0; r < gathered->size(); ++r) {
    Reader in((*gathered)[r]);
    Choice choice{in.integer<std::int32_t>(), in.integer<std::int32_t>(), static_cast<int>(r)};
    if (!in.finished()) return Status(Code::kProtocol, fmt::format("rank {} sent a split record of another size", r));
    if (choice.color == color) same.push_back(choice);
  }
  if (color < 0) return nullptr;
  std::stable_sort(same.begin(), same.end(), [](const Choice& a, const Choice& b) { return a.key < b.key; });
  std::vector<int> members;
  members.reserve(same.size());
  for (const Choice& choice : same) members.push_back(choice.rank);
  return make_child(parent, fmt::format("split {} {}", number, color), members, config);
}

Result<Communicator*> make_shrunk(Communicator& parent, std::span<const int> excluded, const CommConfig& config) {
  std::string without;
  std::vector<int> members;
  for (int rank = 0; rank < parent.ranks(); ++rank) {
    if (std::find(excluded.begin(), excluded.end(), rank) == excluded.end()) {
      members.push_back(rank);
    } else {
      without += fmt::format(" {}", rank);
    }
  }
  return make_child(parent, fmt::format("shrink {}{}", parent.next_shrink(members), without), members, config);
}

}  // namespace amalgam::comm
