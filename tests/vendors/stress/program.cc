#include "tests/vendors/stress/program.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <numeric>

namespace stress {
namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 30;  // sums stay below it, so that nothing overflows
constexpr std::size_t kMostCalls = 4;                     // in a group

std::int32_t fold_two(Fold fold, std::int32_t a, std::int32_t b) {
  return fold == Fold::kSum ? a + b : fold == Fold::kMax ? std::max(a, b) : std::min(a, b);
}

std::int64_t greatest(const Values& values, std::size_t from, std::size_t count) {
  std::int64_t most = 0;
  for (std::size_t i = from; i < from + count; ++i) most = std::max(most, std::abs(std::int64_t{values[i]}));
  return most;
}

class Generator {
 public:
  Generator(std::uint64_t seed, const std::vector<int>& vendors) : random_(seed), vendors_(vendors) {
    constexpr std::array<std::size_t, 4> kElements = {48, 1000, 20000, 300000};
    program_.ranks = vendors.size();
    program_.elements = kElements[below(kElements.size())];
    memory_.assign(program_.ranks, std::vector<Values>(kBuffers));
  }

  Program run(std::size_t steps) {
    make_comms();
    for (std::size_t rank = 0; rank < program_.ranks; ++rank)
      for (std::size_t buffer = 0; buffer < kBuffers; ++buffer) add(write(Act::kUpload, rank, buffer));
    for (std::size_t i = 0; i < steps; ++i) add(below(2) == 0 ? draw_calls() : draw_own(below(program_.ranks)));
    for (std::size_t rank = 0; rank < program_.ranks; ++rank)
      for (std::size_t buffer = 0; buffer < kBuffers; ++buffer) add(check(rank, buffer));
    return std::move(program_);
  }

 private:
  std::size_t below(std::size_t end) { return static_cast<std::size_t>(random_() % end); }
  void add(Step step) { program_.steps.push_back(std::move(step)); }

  void make_comms() {
    std::vector<std::size_t> all(program_.ranks);
    std::iota(all.begin(), all.end(), std::size_t{0});
    add_comm(all);
    for (int vendor = 0; vendor <= *std::max_element(vendors_.begin(), vendors_.end()); ++vendor) {
      std::vector<std::size_t> part;
      std::copy_if(all.begin(), all.end(), std::back_inserter(part),
                   [&](std::size_t r) { return vendors_[r] == vendor; });
      if (part.size() > 1) add_comm(part);
    }
    for (int i = 0; i < 2; ++i) {
      shuffle(all);
      add_comm({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(1 + below(program_.ranks))});
    }
  }

  void add_comm(const std::vector<std::size_t>& ranks) {
    Comm comm{std::vector<int>(program_.ranks, -1), ranks};
    const int vendor = vendors_[ranks.front()];
    comm.vendors =
        vendor >= 0 && std::all_of(ranks.begin(), ranks.end(), [&](std::size_t r) { return vendors_[r] == vendor; });
    for (std::size_t i = 0; i < ranks.size(); ++i) comm.keys[ranks[i]] = static_cast<int>(i);
    program_.comms.push_back(std::move(comm));
  }

  // The library's own shuffle is not the same everywhere.
  template <typename T>
  void shuffle(std::vector<T>& all) {
    for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[below(i)]);
  }

  Values draw_values() {
    Values values(program_.elements);
    for (std::int32_t& value : values) value = static_cast<std::int32_t>(below(2001)) - 1000;
    return values;
  }

  Step write(Act act, std::size_t rank, std::size_t buffer) {
    Step step{act, rank, below(kStreams), buffer};
    step.values = memory_[rank][buffer] = draw_values();
    return step;
  }

  Step check(std::size_t rank, std::size_t buffer) {
    Step step{Act::kCheck, rank, below(kStreams), 0, buffer};
    step.values = memory_[rank][buffer];
    return step;
  }

  // What a rank does alone.
  Step draw_own(std::size_t rank) {
    const std::size_t to = below(kBuffers), from = (to + 1 + below(kBuffers - 1)) % kBuffers;
    Step step{static_cast<Act>(below(static_cast<std::size_t>(Act::kCalls))), rank, below(kStreams), to, from};
    Values& written = memory_[rank][to];
    const Values& read = memory_[rank][from];
    switch (step.act) {
      case Act::kUpload:
      case Act::kRenew: return write(step.act, rank, to);
      case Act::kCheck: return check(rank, from);
      case Act::kFill:
        step.value = static_cast<std::int32_t>(below(2001)) - 1000;
        std::fill(written.begin(), written.end(), step.value);
        break;
      case Act::kCopy: written = read; break;
      case Act::kFold:
        step.fold = draw_fold(greatest(written, 0, written.size()) + greatest(read, 0, read.size()));
        for (std::size_t i = 0; i < read.size(); ++i) written[i] = fold_two(step.fold, written[i], read[i]);
        break;
      default: break;
    }
    return step;
  }

  Fold draw_fold(std::int64_t largest) {
    const auto fold = static_cast<Fold>(below(3));
    return fold == Fold::kSum && largest > kLargest ? Fold::kMax : fold;
  }

  // Calls that go into one group touch buffers of their own: they are not ordered.
  Step draw_calls() {
    Step step{Act::kCalls};
    step.grouped = below(3) != 0;
    std::vector<std::vector<std::size_t>> unused(program_.ranks, std::vector<std::size_t>(kBuffers));
    for (std::vector<std::size_t>& buffers : unused) {
      std::iota(buffers.begin(), buffers.end(), std::size_t{0});
      shuffle(buffers);
    }
    const std::size_t calls = step.grouped ? 1 + below(kMostCalls) : 1;
    for (std::size_t i = 0; i < calls; ++i) {
      Call call = draw_call(step.grouped);
      if (call.kind == Kind::kMessage && is_again(step.calls, call)) continue;
      for (std::size_t r = 0; r < call.parts.size(); ++r)
        draw_part(call, r, unused[program_.comms[call.comm].ranks[r]]);
      fold_fits(call);
      compute(call);
      step.calls.push_back(std::move(call));
    }
    order(step);
    return step;
  }

  // A second message of one rank to another would have to be issued in the same order by both.
  static bool is_again(const std::vector<Call>& calls, const Call& message) {
    return std::any_of(calls.begin(), calls.end(), [&](const Call& one) {
      return one.kind == Kind::kMessage && one.comm == message.comm && one.root == message.root &&
             one.peer == message.peer;
    });
  }

  Call draw_call(bool grouped) {
    Call call;
    call.comm = below(program_.comms.size());
    const std::size_t ranks = program_.comms[call.comm].ranks.size();
    call.kind = static_cast<Kind>(below(kKinds));
    call.root = below(ranks);
    call.peer = below(ranks);
    if (call.kind == Kind::kMessage && call.root == call.peer && !grouped) call.kind = Kind::kAllReduce;
    const std::size_t most = program_.elements / ranks;
    call.count = below(4) == 0 ? below(3) : below(most + 1);
    call.parts.resize(ranks);
    return call;
  }

  void draw_part(Call& call, std::size_t rank, std::vector<std::size_t>& unused) {
    Part& part = call.parts[rank];
    part.stream = below(kStreams);
    if (call.kind == Kind::kMessage && rank != call.root && rank != call.peer) return;
    part.out = unused.back();
    unused.pop_back();
    part.in = part.out;
    const bool may_be_in_place = call.kind == Kind::kAllReduce || call.kind == Kind::kAllGather;
    if (may_be_in_place && below(3) == 0) {
      part.in_at = call.kind == Kind::kAllGather ? rank * call.count : 0;
      return;
    }
    part.in = unused.back();
    unused.pop_back();
  }

  bool reduces(const Call& call) const {
    return call.kind == Kind::kAllReduce || call.kind == Kind::kReduce || call.kind == Kind::kReduceScatter;
  }

  void fold_fits(Call& call) {
    if (!reduces(call)) return;
    const std::size_t blocks = call.kind == Kind::kReduceScatter ? call.parts.size() : 1;
    std::int64_t largest = 0;
    for (std::size_t r = 0; r < call.parts.size(); ++r)
      largest += greatest(input(call, r), call.parts[r].in_at, blocks * call.count);
    call.fold = draw_fold(largest);
  }

  Values& input(const Call& call, std::size_t r) {
    return memory_[program_.comms[call.comm].ranks[r]][call.parts[r].in];
  }
  Values& output(const Call& call, std::size_t r) {
    return memory_[program_.comms[call.comm].ranks[r]][call.parts[r].out];
  }

  // Block `b` of what rank `r` gives.
  Values given(const Call& call, std::size_t r, std::size_t b) {
    const auto begin = input(call, r).begin() + static_cast<std::ptrdiff_t>(call.parts[r].in_at + b * call.count);
    return {begin, begin + static_cast<std::ptrdiff_t>(call.count)};
  }

  Values folded(const Call& call, std::size_t b) {
    Values result = given(call, 0, b);
    for (std::size_t r = 1; r < call.parts.size(); ++r) {
      const Values other = given(call, r, b);
      for (std::size_t i = 0; i < call.count; ++i) result[i] = fold_two(call.fold, result[i], other[i]);
    }
    return result;
  }

  // What rank `r` gets, from its first element on; nothing: its buffer stays as it is.
  Values result(const Call& call, std::size_t r) {
    Values got;
    const auto append = [&](const Values& block) { got.insert(got.end(), block.begin(), block.end()); };
    const std::size_t ranks = call.parts.size();
    switch (call.kind) {
      case Kind::kAllReduce: return folded(call, 0);
      case Kind::kReduce: return r == call.root ? folded(call, 0) : got;
      case Kind::kReduceScatter: return folded(call, r);
      case Kind::kBroadcast: return given(call, call.root, 0);
      case Kind::kScatter: return given(call, call.root, r);
      case Kind::kMessage: return r == call.peer ? given(call, call.root, 0) : got;
      case Kind::kAllToAll:
        for (std::size_t from = 0; from < ranks; ++from) append(given(call, from, r));
        return got;
      case Kind::kGather:
        if (r != call.root) return got;
        [[fallthrough]];
      case Kind::kAllGather:
        for (std::size_t from = 0; from < ranks; ++from) append(given(call, from, 0));
        return got;
    }
    return got;
  }

  void compute(const Call& call) {
    std::vector<Values> results;
    for (std::size_t r = 0; r < call.parts.size(); ++r) results.push_back(result(call, r));
    for (std::size_t r = 0; r < call.parts.size(); ++r)
      std::copy(results[r].begin(), results[r].end(), output(call, r).begin());
  }

  // Every rank issues what concerns it in an order of its own, collectives of one communicator in the common one.
  // A vendor's library launches communicator by communicator, in the order in which it meets them: since streams may
  // depend on each other, that must be the same everywhere.
  void order(Step& step) {
    step.issues.resize(program_.ranks);
    for (std::size_t rank = 0; rank < program_.ranks; ++rank) {
      std::vector<Issue>& issues = step.issues[rank];
      for (std::size_t c = 0; c < step.calls.size(); ++c) append_issues(step.calls[c], c, rank, issues);
      shuffle(issues);
      for (std::size_t comm = 0; comm < program_.comms.size(); ++comm) in_order(step.calls, comm, issues);
      vendors_in_order(step.calls, issues);
    }
  }

  void vendors_in_order(const std::vector<Call>& calls, std::vector<Issue>& issues) const {
    std::vector<std::size_t> places;
    std::vector<Issue> sorted;
    for (std::size_t i = 0; i < issues.size(); ++i) {
      if (!program_.comms[calls[issues[i].call].comm].vendors) continue;
      places.push_back(i);
      sorted.push_back(issues[i]);
    }
    std::stable_sort(sorted.begin(), sorted.end(),
                     [&](const Issue& a, const Issue& b) { return calls[a.call].comm < calls[b.call].comm; });
    for (std::size_t i = 0; i < places.size(); ++i) issues[places[i]] = sorted[i];
  }

  void append_issues(const Call& call, std::size_t index, std::size_t rank, std::vector<Issue>& issues) const {
    const int own = program_.comms[call.comm].keys[rank];
    if (own < 0) return;
    const auto r = static_cast<std::size_t>(own);
    if (call.kind != Kind::kMessage || r == call.root) issues.push_back({index, false});
    if (call.kind == Kind::kMessage && r == call.peer) issues.push_back({index, true});
  }

  static void in_order(const std::vector<Call>& calls, std::size_t comm, std::vector<Issue>& issues) {
    std::vector<std::size_t> places, indices;
    for (std::size_t i = 0; i < issues.size(); ++i) {
      const Call& call = calls[issues[i].call];
      if (call.comm != comm || call.kind == Kind::kMessage) continue;
      places.push_back(i);
      indices.push_back(issues[i].call);
    }
    std::sort(indices.begin(), indices.end());
    for (std::size_t i = 0; i < places.size(); ++i) issues[places[i]].call = indices[i];
  }

  std::mt19937_64 random_;
  const std::vector<int>& vendors_;
  Program program_;
  std::vector<std::vector<Values>> memory_;  // by rank and buffer
};

}  // namespace

Program generate(std::uint64_t seed, const std::vector<int>& vendors, std::size_t steps) {
  return Generator(seed, vendors).run(steps);
}

}  // namespace stress
