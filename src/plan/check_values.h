#pragma once

// The symbols that the checker computes with instead of numbers. A node says which ranks' contributions an element
// holds and how they were associated; equal structures are one node, so comparing results is comparing integers.
//
// Threads: one. A segment is a run of elements with one node whose k-th element comes from element `origin + k` of the
// contributing ranks' send buffers.

#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace amalgam::plan {

struct Segment {
  std::uint64_t count = 0;
  int node = 0;
  std::uint64_t origin = 0;
};
using Content = std::vector<Segment>;

// Combines two contents of the same number of elements, run by run.
template <typename Combine>
Content zip(const Content& a, const Content& b, Combine&& combine);

class Values {
 public:
  explicit Values(int ranks);

  static constexpr int kGarbage = 0;  // what nobody wrote
  int leaf(int rank) const { return 1 + rank; }

  int scaled(int node);                        // read through `in` of a reducing plan
  int combined(int a, int b);                  // commutative, not associative
  int summed(const std::vector<int>& inputs);  // in this order, one rounding
  int finished(int node);
  int mixed();  // a combination of different elements

  bool is_result(int node) const;  // every rank once, scaled once, finished once, last
  int folds(int node) const { return nodes_[static_cast<std::size_t>(node)].folds; }
  std::string why_not(int node) const;  // for people, when !is_result

 private:
  enum Flag : std::uint32_t {
    kUnwritten = 1,
    kTwice = 2,
    kUnscaled = 4,
    kScaledTwice = 8,
    kFinishedEarly = 16,
    kFinishedTwice = 32,
    kMixed = 64,
  };
  enum class Kind : std::uint8_t { kGarbage, kLeaf, kScaled, kCombined, kSummed, kFinished, kMixed };
  struct Node {
    Kind kind = Kind::kGarbage;
    std::uint32_t flags = 0;
    std::vector<std::uint64_t> ranks;  // bit set
    int folds = 0;                     // roundings on the longest way from a contribution
  };
  struct Key {
    Kind kind;
    std::vector<int> inputs;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  int intern(Kind kind, std::vector<int> inputs);
  Node fold(Kind kind, const std::vector<int>& inputs) const;

  int ranks_;
  std::vector<Node> nodes_;
  std::unordered_map<Key, int, KeyHash> known_;
};

template <typename Combine>
Content zip(const Content& a, const Content& b, Combine&& combine) {
  Content out;
  std::size_t i = 0, j = 0;
  std::uint64_t in_a = 0, in_b = 0;
  while (i < a.size() && j < b.size()) {
    const std::uint64_t count = std::min(a[i].count - in_a, b[j].count - in_b);
    out.push_back(
        combine(Segment{count, a[i].node, a[i].origin + in_a}, Segment{count, b[j].node, b[j].origin + in_b}));
    if ((in_a += count) == a[i].count) ++i, in_a = 0;
    if ((in_b += count) == b[j].count) ++j, in_b = 0;
  }
  return out;
}

}  // namespace amalgam::plan
