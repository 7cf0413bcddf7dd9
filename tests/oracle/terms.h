#pragma once

// What an element holds, as a formula: contributions, pre-scaled, folded, finished. Equal formulas have equal numbers,
// so comparing two elements compares how they came about, not their values.
//
// One table per judgement; not for several threads. ∘ is taken to be commutative (as all operations are) but not
// associative.

#include <cstdint>
#include <map>
#include <vector>

namespace oracle {

using Term = std::uint32_t;

class Terms {
 public:
  Term garbage() { return intern({kGarbage}); }
  Term raw(int rank, std::int64_t element) {
    return intern({kRaw, static_cast<Term>(rank), static_cast<Term>(element)});
  }
  Term pre(Term of) { return intern({kPre, of}); }
  Term finished(Term of) { return intern({kFinish, of}); }
  Term folded(Term a, Term b) { return a < b ? intern({kFold, a, b}) : intern({kFold, b, a}); }
  Term summed(const std::vector<Term>& rows);

  bool is_raw(Term term, int rank, std::int64_t element) const;

  // Finished once and last, made of the pre-scaled element `element` of every rank, each once. Wide: by one operation,
  // which rounds once; for two ranks a hop is one, too.
  bool is_result(Term term, int ranks, std::int64_t element, bool wide) const;

 private:
  enum : Term { kGarbage, kRaw, kPre, kFinish, kFold, kSum };

  Term intern(std::vector<Term> node);
  bool gather(Term term, std::int64_t element, int deepest, std::vector<int>& times) const;

  std::map<std::vector<Term>, Term> numbers_;
  std::vector<std::vector<Term>> nodes_;
};

}  // namespace oracle
