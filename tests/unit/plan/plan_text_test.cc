#include <gtest/gtest.h>

#include <string>

#include "plan/choose.h"
#include "plan/plan.h"

namespace amalgam::plan {
namespace {

constexpr const char* kExample = R"(plan allreduce.direct
collective allreduce
ranks 4
order chunk
slice 65536
window 2
credits 0
accumulate wide
buffer in user cut N
buffer out user cut N
buffer land scratch N like out[r]
stage tx s=1..N-1 channel 0 send in[(r+s)%N] -> (r+s)%N
stage rx s=1..N-1 channel 0 recv land[(r-s)%N] <- (r-s)%N after sum[k-W]
stage sum sum out[r] = in[r] + land[*] finish after rx[*]
stage tx2 s=1..N-1 channel 1 send out[r] -> (r+s)%N after sum
stage rx2 s=1..N-1 channel 1 recv out[(r-s)%N] <- (r-s)%N after tx[N-s]
end
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string error_of(const std::string& text) {
  auto parsed = parse(text);
  return parsed.ok() ? "" : parsed.status().message();
}

TEST(PlanText, TheExampleIsCanonical) {
  auto plan = parse(kExample);
  ASSERT_TRUE(plan.ok()) << plan.status().message();
  EXPECT_EQ(print(*plan), kExample);
  EXPECT_EQ(plan->name(), "allreduce.direct");
  EXPECT_TRUE(plan->wide);
  EXPECT_EQ(plan->stages[static_cast<std::size_t>(plan->stage("rx"))].after[0].distance, Dependency::kWindow);
}

TEST(PlanText, BlanksAndCommentsDoNotMatter) {
  std::string text = replaced(kExample, "stage tx s=1..N-1 ", "# a remark\n\n  stage   tx s = 1 .. N - 1   ");
  text = replaced(text, "out[r] = in[r]", "out[ r ]=in[r]");
  auto plan = parse(text);
  ASSERT_TRUE(plan.ok()) << plan.status().message();
  EXPECT_EQ(print(*plan), kExample);
}

TEST(PlanText, DependenciesOfEveryFormSurvive) {
  const std::string forms = "sum[k-W], sum[k-3], tx, tx[N-s], tx[N-s, k-1], tx[*], tx[*, k-W]";
  const std::string text = replaced(kExample, "after tx[N-s]", "after " + forms);
  auto plan = parse(text);
  ASSERT_TRUE(plan.ok()) << plan.status().message();
  EXPECT_EQ(print(*plan), text);
}

TEST(PlanText, DefaultsAreLeftOut) {
  std::string text = replaced(kExample, "send out[r]", "send out[0]");
  text = replaced(text, "stage sum sum", "stage sum when 1 sum");
  text = replaced(text, "channel 0 send in", "send in");
  auto plan = parse(text);
  ASSERT_TRUE(plan.ok()) << plan.status().message();
  EXPECT_EQ(print(*plan), replaced(kExample, "send out[r]", "send out"));
}

TEST(PlanText, ErrorsNameTheLine) {
  EXPECT_EQ(error_of(replaced(kExample, "slice 65536", "slice 0")).substr(0, 7), "line 5:");
  EXPECT_EQ(error_of(replaced(kExample, "after sum\n", "after som\n")).substr(0, 8), "line 15:");
  EXPECT_EQ(error_of(replaced(kExample, "in[(r+s)%N]", "in[(r+s)%N")).substr(0, 8), "line 12:");
}

TEST(PlanText, RefusesWhatTheGrammarDoesNotAllow) {
  const std::pair<const char*, const char*> edits[] = {{"collective allreduce", "collective allgather"},
                                                       {"collective allreduce", "collective dance"},
                                                       {"ranks 4", "ranks 0"},
                                                       {"ranks 4", "ranks 99999999"},
                                                       {"order chunk", "order any"},
                                                       {"window 2", "window 0"},
                                                       {"credits 0", "credits -1"},
                                                       {"accumulate wide", "accumulate"},
                                                       {"buffer in user", "buffer inn user"},
                                                       {"scratch N like out[r]", "scratch N"},
                                                       {"like out[r]", "like land[0]"},
                                                       {"like out[r]", "like out[r+1]"},
                                                       {"buffer out user cut N", "buffer in user cut N"},
                                                       {"cut N", "slit N"},
                                                       {"cut N", "vector N"},
                                                       {"cut N", "cut N-N"},
                                                       {"stage rx ", "stage tx "},
                                                       {"channel 0", "channel 256"},
                                                       {"send in", "send inn"},
                                                       {"-> (r+s)%N", "-> r+s"},
                                                       {"recv land", "recv in"},
                                                       {"in[(r+s)%N]", "in[r+s]"},
                                                       {"s=1..N-1", "s=1..N/0"},
                                                       {"s=1..N-1", "s=0..99999999"},
                                                       {"sum out[r] = in[r] + land[*]", "sum out[r] = in[r] + out[*]"},
                                                       {"scratch N like", "scratch N-1 like"},
                                                       {"after sum[k-W]", "after sum[k-0]"},
                                                       {"after sum[k-W]", "after sum[k+1]"},
                                                       {"after rx[*]", "after rx[*], "},
                                                       {"finish", "finished"},
                                                       {"end\n", ""},
                                                       {"end\n", "end\nmore\n"},
                                                       {"stage sum sum", "stage sum channel 1 sum"},
                                                       {"plan allreduce.direct", "plan allreduce"},
                                                       {"window 2\n", ""}};
  for (const auto& [from, to] : edits) EXPECT_NE(error_of(replaced(kExample, from, to)), "") << from << " → " << to;
  EXPECT_NE(error_of(""), "");
  EXPECT_NE(error_of(std::string(2 << 20, '\n')), "");
}

TEST(PlanText, AMovingCollectiveNeitherFoldsNorFinishes) {
  const std::string text =
      "plan broadcast.x\ncollective broadcast\nranks 2\norder chunk\nslice 1\nwindow 1\ncredits 0\naccumulate hop\n"
      "buffer in user whole\nbuffer out user whole\n";
  EXPECT_EQ(error_of(text + "stage a copy out = in\nend\n"), "");
  EXPECT_NE(error_of(text + "stage a copy out = in finish\nend\n"), "");
  EXPECT_NE(error_of(text + "stage a reduce out = in + recv <- 0\nend\n"), "");
}

TEST(PlanText, EveryTruncationIsAnErrorAndNoneCrashes) {
  const std::string text = kExample;
  for (std::size_t length = 0; length + 2 < text.size(); ++length)
    EXPECT_NE(error_of(text.substr(0, length)), "") << length;
}

TEST(PlanText, EveryFamilySurvivesPrintAndParse) {
  for (int c = 0; c < kCollectives; ++c) {
    const auto collective = static_cast<Collective>(c);
    for (const std::string& family : families(collective)) {
      for (int ranks : {1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 33, 1000}) {
        auto plan = build(family, collective, cluster::uniform(ranks, 8, 2), 1 << 20, {});
        ASSERT_TRUE(plan.ok()) << family << " " << name_of(collective);
        auto again = parse(print(*plan));
        ASSERT_TRUE(again.ok()) << again.status().message() << "\n" << print(*plan);
        EXPECT_TRUE(*again == *plan);
        EXPECT_EQ(hash(*again), hash(*plan));
      }
    }
  }
}

TEST(Project, BindsRankRootAndSteps) {
  const Program program = project(*parse(kExample), 3, 0);
  EXPECT_EQ(program.rank, 3);
  EXPECT_EQ(program.extents, (std::vector<std::int64_t>{4, 4, 4}));
  EXPECT_EQ(program.steps[0].first, 1);
  EXPECT_EQ(program.steps[0].count, 3);
  EXPECT_EQ(program.steps[2].count, 1);
  EXPECT_EQ(program.plan.stages[0].peer.text(), "(3+s)%4");
  EXPECT_EQ(program.plan.stages[2].to.part.text(), "3");
  EXPECT_EQ(program.plan.buffers[2].like_part.text(), "3");
  EXPECT_EQ(program.plan.stages[0].peer.evaluate({0, 1, 2, 0}), 1);
}

TEST(Project, CountsNoStepsWhereTheRangeIsEmpty) {
  const Plan plan = *parse(replaced(kExample, "stage tx s=1..N-1", "stage tx s=3..N-2"));
  EXPECT_EQ(project(plan, 0, 0).steps[0].count, 0);
}

TEST(Project, CountsRanksFromTheRoot) {
  auto plan = build("chain", Collective::kBroadcast, cluster::uniform(4, 4, 2), 1024, {});
  ASSERT_TRUE(plan.ok());
  const auto top = static_cast<std::size_t>(plan->stage("top"));
  for (int rank = 0; rank < 4; ++rank)
    EXPECT_EQ(project(*plan, rank, 2).plan.stages[top].when.evaluate({}), rank == 2) << rank;
  EXPECT_EQ(project(*plan, 3, 2).plan.stages[static_cast<std::size_t>(plan->stage("tx"))].peer.evaluate({}), 0);
}

}  // namespace
}  // namespace amalgam::plan
