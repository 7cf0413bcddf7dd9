#include "oracle/terms.h"

#include <algorithm>

namespace oracle {

Term Terms::intern(std::vector<Term> node) {
  const auto [at, is_new] = numbers_.emplace(std::move(node), static_cast<Term>(nodes_.size()));
  if (is_new) nodes_.push_back(at->first);
  return at->second;
}

Term Terms::summed(const std::vector<Term>& rows) {
  if (rows.size() == 1) return rows[0];
  std::vector<Term> node{kSum};
  node.insert(node.end(), rows.begin(), rows.end());
  return intern(std::move(node));
}

bool Terms::is_raw(Term term, int rank, std::int64_t element) const {
  return nodes_[term] == std::vector<Term>{kRaw, static_cast<Term>(rank), static_cast<Term>(element)};
}

bool Terms::gather(Term term, std::int64_t element, int deepest, std::vector<int>& times) const {
  const std::vector<Term>& node = nodes_[term];
  if (node[0] == kPre) {
    const std::vector<Term>& of = nodes_[node[1]];
    if (of[0] != kRaw || of[2] != static_cast<Term>(element) || of[1] >= times.size()) return false;
    return ++times[of[1]] == 1;
  }
  if ((node[0] != kSum && node[0] != kFold) || deepest == 0) return false;
  return std::all_of(node.begin() + 1, node.end(),
                     [&](Term part) { return gather(part, element, deepest - 1, times); });
}

bool Terms::is_result(Term term, int ranks, std::int64_t element, bool wide) const {
  const std::vector<Term>& node = nodes_[term];
  std::vector<int> times(static_cast<std::size_t>(ranks), 0);
  if (node[0] != kFinish || !gather(node[1], element, wide ? 1 : ranks, times)) return false;
  return std::all_of(times.begin(), times.end(), [](int n) { return n == 1; });
}

}  // namespace oracle
