// The library's checker against the oracle: on every plan that the families make, and on systematic single changes of
// it, both must say the same. Print, parse, build and check are black boxes here; the plans travel as text.
//
// AMALGAM_TEST_CASES: how many changed plans are judged (default kDefaultCases, drawn by AMALGAM_TEST_SEED); 0: all of
// them.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "cluster/cluster.h"
#include "oracle/interpret.h"
#include "plan/check.h"
#include "plan/choose.h"
#include "plan/plan.h"
#include "unit/oracle/mutate.h"
#include "unit/oracle/plans.h"

namespace oracle {
namespace {

using amalgam::Collective;

constexpr std::uint64_t kElement = 64;  // a unit of a cut is one element: small counts make uneven parts
constexpr std::size_t kDefaultCases = 16'000, kShown = 12;
constexpr int kMostRanks = 4;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value ? std::strtoull(value, nullptr, 10) : otherwise;
}

struct Case {
  std::string origin;  // the plan that it comes from
  std::string change;  // empty: none
  std::string text;
  Request request;
};

bool is_pair(const std::string& text) { return text.starts_with("plan send.") || text.starts_with("plan recv."); }

bool allows_in_place(const std::string& text) {
  return text.find("collective alltoall") == std::string::npos && !is_pair(text);
}

bool is_rooted(const std::string& text) {
  for (const char* name : {"reduce\n", "broadcast\n", "gather\n", "scatter\n", "send\n", "recv\n"}) {
    if (text.find(std::string("collective ") + name) != std::string::npos) return true;
  }
  return false;
}

std::string with_number(std::string text, const std::string& head, std::uint64_t number) {
  const std::size_t at = text.find("\n" + head + " ") + head.size() + 2;
  return text.replace(at, text.find('\n', at) - at, std::to_string(number));
}

int ranks_of(const std::string& text) { return std::atoi(text.c_str() + text.find("\nranks ") + 7); }

// The other end of a send or recv plan, unchanged.
std::string partner(const std::string& text) {
  const bool sends = text.starts_with("plan send.");
  const auto cluster = amalgam::cluster::uniform(ranks_of(text), ranks_of(text), 2);
  const auto collective = sends ? Collective::kRecv : Collective::kSend;
  const auto built = amalgam::plan::build(amalgam::plan::families(collective)[0], collective, cluster, 4096, {});
  EXPECT_TRUE(built.ok());
  const std::size_t slice = text.find("\nslice ") + 7;
  return with_number(amalgam::plan::print(*built), "slice", std::strtoull(text.c_str() + slice, nullptr, 10));
}

Result judge_pair(const std::string& text, const Request& request, const Options& options) {
  const int ranks = ranks_of(text);
  const int self = request.root, peer = (self + 1) % ranks;
  if (text.starts_with("plan send.")) return interpret_pair(text, partner(text), self, peer, request, options);
  return interpret_pair(partner(text), text, peer, self, request, options);
}

Result judge(const std::string& text, const Request& request, const Options& options = {}) {
  return is_pair(text) ? judge_pair(text, request, options) : interpret(text, request, options);
}

amalgam::Status library_says(const amalgam::plan::Plan& plan, const Request& request) {
  return amalgam::plan::check(plan, {request.count, request.element_bytes, request.root, request.in_place});
}

std::vector<Request> requests_for(const std::string& text, bool few) {
  std::vector<Request> requests;
  const int ranks = ranks_of(text);
  const auto n = static_cast<std::uint64_t>(ranks);
  // One chunk with parts of 0 and 1 elements; two chunks and three with uneven parts.
  std::vector<std::uint64_t> counts{1, 2 * n + 1};
  if (!few) counts.insert(counts.end(), {0, n, 5 * n, 11});
  for (std::uint64_t count : counts) {
    for (int variant = 0; variant < 2 * ranks; ++variant) {
      const Request request{count, kElement, variant / 2, variant % 2 == 1};
      const bool skips_root = request.root > (few ? 1 : ranks) || (request.root > 0 && !is_rooted(text));
      if (skips_root || (request.in_place && !allows_in_place(text))) continue;
      if (ranks == 1 && is_pair(text)) continue;
      requests.push_back(request);
    }
  }
  return requests;
}

// Text of every plan that the families make for so few ranks, in slices of one element, with `window` slots.
std::vector<Case> family_plans(std::uint64_t window) {
  std::vector<Case> plans;
  for (int c = 0; c < amalgam::kCollectives; ++c) {
    const auto collective = static_cast<Collective>(c);
    for (const std::string& family : amalgam::plan::families(collective)) {
      for (int ranks = 1; ranks <= kMostRanks; ++ranks) {
        const auto built =
            amalgam::plan::build(family, collective, amalgam::cluster::uniform(ranks, ranks, 2), 1 << 20, {});
        if (!built.ok()) continue;
        const std::string text =
            with_number(with_number(amalgam::plan::print(*built), "slice", kElement), "window", window);
        plans.push_back({built->name() + " of " + std::to_string(ranks), {}, text, {}});
      }
    }
  }
  return plans;
}

std::vector<Case> hand_written_plans() {
  std::vector<Case> plans;
  for (const Sample& sample : samples()) {
    for (int ranks = 1; ranks <= kMostRanks; ++ranks) {
      if (sample.powers_only && (ranks & (ranks - 1)) != 0) continue;
      plans.push_back(
          {std::string(sample.name) + " of " + std::to_string(ranks), {}, with(sample.text, ranks, kElement), {}});
    }
  }
  return plans;
}

std::vector<Case> changed_plans(const std::vector<Case>& plans) {
  std::vector<Case> cases;
  for (const Case& plan : plans) {
    if (ranks_of(plan.text) == 1) continue;
    const std::vector<Request> requests = requests_for(plan.text, true);
    for (Mutant& mutant : mutate(plan.text)) {
      for (const Request& request : requests) cases.push_back({plan.origin, mutant.what, mutant.text, request});
    }
  }
  return cases;
}

std::string describe(const Case& which, const Result& oracle, const amalgam::Status& library) {
  return which.origin + (which.change.empty() ? "" : ", changed: " + which.change) + "\n  count " +
         std::to_string(which.request.count) + " element bytes " + std::to_string(which.request.element_bytes) +
         " root " + std::to_string(which.request.root) + " in place " + std::to_string(which.request.in_place) +
         "\n  oracle:  " + (oracle.verdict == Verdict::kRight ? "right" : oracle.reason) +
         "\n  checker: " + (library.ok() ? "right" : library.message()) + "\n" + which.text;
}

class Totals {
 public:
  void judge_one(const Case& which) {
    const auto plan = amalgam::plan::parse(which.text);
    if (!plan.ok()) {
      ++unreadable_;
      return;
    }
    const Result oracle = judge(which.text, which.request);
    const amalgam::Status library = library_says(*plan, which.request);
    const bool right = oracle.verdict == Verdict::kRight;
    ++(right ? harmless_ : killed_);
    if (right == library.ok()) return;
    ++(right ? too_strict_ : missed_);
    if (shown_.insert(which.origin + which.change).second && shown_.size() <= kShown)
      ADD_FAILURE() << describe(which, oracle, library);
  }

  void print() const {
    std::printf(
        "changed plans %zu: killed %zu, harmless %zu, no plans %zu; undecided 0\nchecker missed %zu, too strict %zu\n",
        killed_ + harmless_ + unreadable_, killed_, harmless_, unreadable_, missed_, too_strict_);
  }
  std::size_t killed() const { return killed_; }
  std::size_t differences() const { return missed_ + too_strict_; }

 private:
  std::size_t killed_ = 0, harmless_ = 0, unreadable_ = 0, missed_ = 0, too_strict_ = 0;
  std::set<std::string> shown_;
};

void judge_changes(std::vector<Case> cases, std::uint64_t most) {
  const std::uint64_t seed = from_environment("AMALGAM_TEST_SEED", 1);
  std::mt19937_64 random(seed);
  std::shuffle(cases.begin(), cases.end(), random);
  std::printf("seed %llu, %zu changed plans\n", static_cast<unsigned long long>(seed), cases.size());
  if (most != 0 && cases.size() > most) cases.resize(most);
  Totals totals;
  for (const Case& which : cases) totals.judge_one(which);
  totals.print();
  EXPECT_GT(totals.killed(), cases.size() / 10);
  EXPECT_EQ(totals.differences(), 0u);
}

void expect_right(const std::vector<Case>& plans) {
  std::size_t judged = 0;
  for (const Case& plan : plans) {
    const auto parsed = amalgam::plan::parse(plan.text);
    ASSERT_TRUE(parsed.ok()) << parsed.status().message() << "\n" << plan.text;
    for (const Request& request : requests_for(plan.text, false)) {
      const Result oracle = judge(plan.text, request);
      const amalgam::Status library = library_says(*parsed, request);
      ++judged;
      if (oracle.verdict == Verdict::kRight && library.ok()) continue;
      ADD_FAILURE() << describe({plan.origin, {}, plan.text, request}, oracle, library);
      break;
    }
  }
  std::printf("plans %zu, calls %zu\n", plans.size(), judged);
  EXPECT_GT(judged, 0u);
}

TEST(CheckerAndOracle, FindEveryPlanOfTheFamiliesRight) {
  for (std::uint64_t window : {1, 2, 4}) expect_right(family_plans(window));
}

TEST(CheckerAndOracle, FindTheHandWrittenPlansRight) { expect_right(hand_written_plans()); }

TEST(CheckerAndOracle, SayTheSameOfChangedHandWrittenPlans) {
  judge_changes(changed_plans(hand_written_plans()), from_environment("AMALGAM_TEST_CASES", kDefaultCases) / 4);
}

TEST(CheckerAndOracle, SayTheSameOfChangedPlansOfTheFamilies) {
  judge_changes(changed_plans(family_plans(2)), from_environment("AMALGAM_TEST_CASES", kDefaultCases));
}

// The oracle's verdicts above rest on its argument about order; here it visits every state of plans that it is given in
// earnest.
TEST(CheckerAndOracle, AreNotFooledByTheOraclesShortCut) {
  std::vector<Case> cases = changed_plans(family_plans(2));
  std::mt19937_64 random(from_environment("AMALGAM_TEST_SEED", 1));
  std::shuffle(cases.begin(), cases.end(), random);
  cases.resize(std::min<std::size_t>(cases.size(), 1'000));
  std::size_t undecided = 0;
  for (const Case& which : cases) {
    const Result every = judge(which.text, which.request, {Search::kEvery, 500}),
                 ordered = judge(which.text, which.request);
    undecided += every.verdict == Verdict::kUndecided;
    EXPECT_TRUE(every.verdict == Verdict::kUndecided || every.verdict == ordered.verdict)
        << describe(which, ordered, {});
  }
  std::printf("changed plans %zu, undecided by visiting every state %zu\n", cases.size(), undecided);
  EXPECT_LT(undecided, cases.size() / 2);
}

}  // namespace
}  // namespace oracle
