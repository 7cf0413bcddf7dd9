// The oracle on plans written by hand: right ones, wrong ones of each kind, and its two searches against each other.

#include "oracle/interpret.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "oracle/expression.h"
#include "oracle/parse.h"
#include "unit/oracle/mutate.h"
#include "unit/oracle/plans.h"

namespace oracle {
namespace {

constexpr std::uint64_t kElement = 64;  // a unit of a cut is one element: small counts make uneven parts

bool fits(const Sample& sample, int ranks) { return !sample.powers_only || (ranks & (ranks - 1)) == 0; }

std::string_view sample(std::string_view name) {
  return std::find_if(samples().begin(), samples().end(), [&](const Sample& s) { return s.name == name; })->text;
}

// The direct allreduce with one piece of text replaced.
std::string changed(std::string_view name, std::string_view from, std::string_view to, int ranks = 3) {
  std::string text = with(sample(name), ranks, kElement);
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string reason(const std::string& plan, const Request& request) {
  const Result ordered = interpret(plan, request);
  const Result every = interpret(plan, request, {Search::kEvery, 200'000});
  EXPECT_TRUE(every.verdict == Verdict::kUndecided || every.verdict == Verdict::kWrong) << ordered.reason;
  EXPECT_EQ(ordered.verdict, Verdict::kWrong) << plan;
  return ordered.reason;
}

TEST(Expressions, FollowThePrecedenceOfC) {
  const Environment at{2, 5, 3, 4};  // r N s root
  const std::pair<std::string_view, std::int64_t> cases[] = {
      {"1+2*3", 7}, {"(1+2)*3", 9}, {"1<<2+1", 8}, {"6&3==3", 0},    {"1|2^3&1", 3}, {"2>1==1", 1}, {"0||1&&0", 0},
      {"!0+1", 2},  {"-r-1", -3},   {"7-2-1", 4},  {"r^(1<<s)", 10}, {"(r-s)%N", 4}, {"-7/2", -4},  {"-7%3", 2},
      {"v", 3},     {"L", 3},       {"P", 4},      {"N-1", 4},       {"s<=3", 1},    {"s!=3", 0}};
  for (const auto& [text, value] : cases) {
    std::string_view rest = text;
    const auto expression = take_expression(rest);
    ASSERT_TRUE(expression && rest.empty()) << text;
    EXPECT_EQ(expression->evaluate(at), value) << text;
  }
}

TEST(Expressions, HaveNoValueWhereTheyDivideByZero) {
  std::string_view text = "1/(r-2)";
  EXPECT_EQ(take_expression(text)->evaluate({2, 5, 0, 0}), std::nullopt);
}

TEST(Oracle, ReadsOnlyWhatThePageAllows) {
  for (const auto& [from, to] :
       std::vector<std::pair<std::string_view, std::string_view>>{{"ranks 3", "ranks 0"},
                                                                  {"order chunk", "order chunks"},
                                                                  {"window 2\n", ""},
                                                                  {"window 2", "window 0"},
                                                                  {"scratch N like", "scratch N"},
                                                                  {"recv land", "recv lands"},
                                                                  {"after sum[k-W]", "after sums"},
                                                                  {"stage rx ", "stage tx "},
                                                                  {"N-1 channel", "N- channel"},
                                                                  {"end\n", ""}}) {
    EXPECT_FALSE(parse(changed("direct", from, to)).plan) << to;
  }
}

TEST(Oracle, FindsTheHandWrittenPlansRight) {
  for (const Sample& which : samples()) {
    for (int ranks = 1; ranks <= 4; ++ranks) {
      for (std::uint64_t count : {0, 1, 3, 4, 6, 9}) {
        for (int variant = 0; variant < 2 * ranks && fits(which, ranks); ++variant) {
          const Request request{count, kElement, variant / 2, variant % 2 == 1 && which.in_place};
          const Result result = interpret(with(which.text, ranks, 2 * kElement), request);
          EXPECT_EQ(result.verdict, Verdict::kRight)
              << which.name << " ranks " << ranks << " count " << count << " root " << request.root << " in place "
              << request.in_place << ": " << result.reason;
        }
      }
    }
  }
}

TEST(Oracle, FindsAPairOfSendAndReceiveRight) {
  const std::string head = "ranks 3\norder chunk\nslice 64\nwindow 1\ncredits 0\naccumulate hop\n";
  const std::string send =
      "plan send.pair\ncollective send\n" + head + "buffer in user whole\nstage tx send in -> root\nend\n";
  const std::string recv =
      "plan recv.pair\ncollective recv\n" + head + "buffer out user whole\nstage rx recv out <- root\nend\n";
  const std::string twice =
      "plan recv.pair\ncollective recv\n" + head + "buffer out user whole\nstage rx s=0..1 recv out <- root\nend\n";
  EXPECT_EQ(interpret_pair(send, recv, 2, 0, {3, kElement}).verdict, Verdict::kRight);
  EXPECT_EQ(interpret_pair(send, twice, 2, 0, {3, kElement}).verdict, Verdict::kWrong);
}

TEST(Oracle, FindsADeadlock) {
  EXPECT_NE(reason(changed("direct", "land[*] finish after rx[*]", "land[*] finish after rx2[*]"), {3, kElement})
                .find("never gets on"),
            std::string::npos);
}

TEST(Oracle, FindsASlotOverwrittenWhileRead) { reason(changed("reduce chain", " after pass[k-W]", ""), {3, kElement}); }

TEST(Oracle, FindsARaceThatOnlyFullLanesWouldHide) {
  const std::string why = reason(changed("broadcast chain", " after rx, own", " after own"), {2, kElement});
  EXPECT_NE(why.find("same memory"), std::string::npos) << why;
}

TEST(Oracle, FindsAContributionThatIsMissing) {
  EXPECT_NE(reason(changed("direct", "land[*] finish after rx[*]", "land[*] after rx[*]"), {3, kElement})
                .find("wrong result"),
            std::string::npos);
  EXPECT_NE(reason(changed("allgather ring", "more s=2..N-1 channel 1 recv out[(r-s)%N]",
                           "more s=2..N-1 channel 1 recv out[(r-s+1)%N]"),
                   {1, kElement}),
            "");
}

TEST(Oracle, FindsASendThatNobodyExpects) {
  const std::string why =
      reason(changed("direct", "recv land[(r-s)%N] <- (r-s)%N", "recv land[(r-s)%N] <- (r-s+1)%N", 4), {4, kElement});
  EXPECT_NE(why.find("what is sent is not what is expected"), std::string::npos) << why;
}

TEST(Oracle, FindsAWriteToTheCallersInput) {
  EXPECT_NE(reason(changed("direct", "recv out[(r-s)%N]", "recv in[(r-s)%N]"), {3, kElement}).find("not its result"),
            std::string::npos);
}

TEST(Oracle, FindsThatACreditIsMissing) {
  // Rank 1 takes the two slices only when it has heard that both were sent.
  const auto plan = [](int credits) {
    return "plan broadcast.late\ncollective broadcast\nranks 2\norder step\nslice 64\nwindow 1\ncredits " +
           std::to_string(credits) +
           "\naccumulate hop\nbuffer in user cut 2\nbuffer out user cut 2\nbuffer note scratch 1 like out[0]\n"
           "stage own s=0..1 when v==0 copy out[s] = in[s]\nstage tx s=0..1 when v==0 send in[s] -> 1-root\n"
           "stage go when v==0 channel 1 send in[0] -> 1-root after tx[*]\nstage gone when v==1 channel 1 recv note <- "
           "root\n"
           "stage rx s=0..1 when v==1 recv out[s] <- root after gone\nend\n";
  };
  EXPECT_EQ(interpret(plan(2), {2, kElement}).verdict, Verdict::kRight) << interpret(plan(2), {2, kElement}).reason;
  EXPECT_NE(reason(plan(1), {2, kElement}).find("never gets on"), std::string::npos);
  reason(plan(0), {2, kElement});
}

TEST(Oracle, AgreesWithItselfWhetherItOrdersOrVisitsEveryState) {
  std::size_t decided = 0, wrong = 0, undecided = 0;
  for (const Sample& which : samples()) {
    for (int ranks = 2; ranks <= 3; ++ranks) {
      if (!fits(which, ranks)) continue;
      const std::vector<Mutant> mutants = mutate(with(which.text, ranks, kElement));
      for (std::size_t i = 0; i < mutants.size(); i += ranks == 2 ? 1 : 4) {
        const Mutant& mutant = mutants[i];
        const Request request{ranks == 2 ? 3u : 2u, kElement, 1, which.in_place && i % 2 == 0};
        const Result ordered = interpret(mutant.text, request),
                     every = interpret(mutant.text, request, {Search::kEvery, 1'000});
        if (every.verdict == Verdict::kUndecided) {
          ++undecided;
          continue;
        }
        ++decided;
        wrong += every.verdict == Verdict::kWrong;
        EXPECT_EQ(ordered.verdict, every.verdict)
            << mutant.what << "\nordered: " << ordered.reason << "\nevery: " << every.reason << "\n"
            << mutant.text;
      }
    }
  }
  std::printf("mutants %zu, wrong %zu, undecided by visiting %zu\n", decided + undecided, wrong, undecided);
  EXPECT_GT(wrong, 100u);
  EXPECT_GT(decided - wrong, 50u);
}

}  // namespace
}  // namespace oracle
