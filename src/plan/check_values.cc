#include "plan/check_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/hash.h"

namespace amalgam::plan {

Values::Values(int ranks) : ranks_(ranks) {
  const std::size_t words = (static_cast<std::size_t>(ranks) + 63) / 64;
  nodes_.push_back({Kind::kGarbage, kUnwritten, std::vector<std::uint64_t>(words), 0});
  for (int r = 0; r < ranks; ++r) {
    Node node{Kind::kLeaf, kUnscaled, std::vector<std::uint64_t>(words), 0};
    node.ranks[static_cast<std::size_t>(r) / 64] = std::uint64_t{1} << (r % 64);
    nodes_.push_back(std::move(node));
  }
}

std::size_t Values::KeyHash::operator()(const Key& key) const {
  Hash hash;
  hash.add_integer(static_cast<std::uint64_t>(key.kind));
  for (int input : key.inputs) hash.add_integer(static_cast<std::uint64_t>(input));
  return hash.value();
}

int Values::intern(Kind kind, std::vector<int> inputs) {
  Key key{kind, std::move(inputs)};
  if (const auto at = known_.find(key); at != known_.end()) return at->second;
  nodes_.push_back(fold(kind, key.inputs));
  const int id = static_cast<int>(nodes_.size()) - 1;
  known_.emplace(std::move(key), id);
  return id;
}

// What a new node holds, and what is already wrong with it.
Values::Node Values::fold(Kind kind, const std::vector<int>& inputs) const {
  Node node{kind, kind == Kind::kMixed ? kMixed : 0U, std::vector<std::uint64_t>(nodes_[0].ranks.size()), 0};
  const bool folds = kind == Kind::kCombined || kind == Kind::kSummed;
  for (int input : inputs) {
    const Node& from = nodes_[static_cast<std::size_t>(input)];
    node.flags |= from.flags;
    node.folds = std::max(node.folds, from.folds + (folds ? 1 : 0));
    if (from.kind == Kind::kFinished)
      node.flags |= folds ? kFinishedEarly : kind == Kind::kFinished ? kFinishedTwice : 0U;
    for (std::size_t w = 0; w < node.ranks.size(); ++w) {
      if ((node.ranks[w] & from.ranks[w]) != 0) node.flags |= kTwice;
      node.ranks[w] |= from.ranks[w];
    }
  }
  if (kind == Kind::kScaled) {
    const bool leaf = nodes_[static_cast<std::size_t>(inputs[0])].kind == Kind::kLeaf;
    if (leaf) node.flags &= ~static_cast<std::uint32_t>(kUnscaled);
    if (!leaf && inputs[0] != kGarbage) node.flags |= kScaledTwice;
  }
  return node;
}

int Values::scaled(int node) { return intern(Kind::kScaled, {node}); }
int Values::combined(int a, int b) { return intern(Kind::kCombined, {std::min(a, b), std::max(a, b)}); }
int Values::summed(const std::vector<int>& inputs) { return intern(Kind::kSummed, inputs); }
int Values::finished(int node) { return intern(Kind::kFinished, {node}); }
int Values::mixed() { return intern(Kind::kMixed, {}); }

bool Values::is_result(int node) const {
  const Node& at = nodes_[static_cast<std::size_t>(node)];
  int held = 0;
  for (std::uint64_t word : at.ranks) held += std::popcount(word);
  return at.kind == Kind::kFinished && at.flags == 0 && held == ranks_;
}

std::string Values::why_not(int node) const {
  const Node& at = nodes_[static_cast<std::size_t>(node)];
  if (at.kind == Kind::kGarbage) return "was never written";
  if (at.flags & kMixed) return "mixes different elements";
  if (at.flags & kUnwritten) return "holds memory that nobody wrote";
  if (at.flags & kTwice) return "holds a rank's contribution twice";
  if (at.flags & kScaledTwice) return "was pre-scaled twice";
  if (at.flags & kUnscaled) return "holds a contribution that was not read through the send buffer (no pre-scale)";
  if (at.flags & kFinishedEarly) return "was finished before the last fold";
  if (at.flags & kFinishedTwice) return "was finished twice";
  for (int r = 0; r < ranks_; ++r)
    if ((at.ranks[static_cast<std::size_t>(r) / 64] >> (r % 64) & 1) == 0)
      return fmt::format("lacks rank {}'s contribution", r);
  return at.kind == Kind::kFinished ? "is complete" : "was not finished";
}

}  // namespace amalgam::plan
