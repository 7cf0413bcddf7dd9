#include "plan/check.h"

#include <gtest/gtest.h>

#include <string>

#include "plan/cases.h"

namespace amalgam::plan {
namespace {

constexpr std::uint64_t kSeed = 20240607;
constexpr int kCasesPerFamily = 120;

constexpr const char* kDirect =
    "plan allreduce.direct\ncollective allreduce\nranks 4\norder chunk\nslice 256\nwindow 2\ncredits 0\naccumulate "
    "wide\n"
    "buffer in user cut N\nbuffer out user cut N\nbuffer land scratch N like out[r]\n"
    "stage tx s=1..N-1 channel 0 send in[(r+s)%N] -> (r+s)%N\n"
    "stage rx s=1..N-1 channel 0 recv land[(r-s)%N] <- (r-s)%N after sum[k-W]\n"
    "stage sum sum out[r] = in[r] + land[*] finish after rx[*]\n"
    "stage tx2 s=1..N-1 channel 1 send out[r] -> (r+s)%N after sum\n"
    "stage rx2 s=1..N-1 channel 1 recv out[(r-s)%N] <- (r-s)%N after tx[N-s]\n"
    "end\n";

Plan parsed(const std::string& text) {
  Result<Plan> plan = parse(text);
  EXPECT_TRUE(plan.ok()) << plan.status().message() << "\n" << text;
  return plan.ok() ? plan.take() : Plan();
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), by);
}

// What check says about a changed kDirect: counts that make 1 to 5 chunks, in place and not. Empty: it found nothing.
std::string verdict(const std::string& text) {
  const Plan plan = parsed(text);
  for (std::uint64_t count : {4U * 64, 4U * 64 * 2 + 1, 4U * 64 * 4 + 77})
    for (bool in_place : {false, true})
      if (Status status = check(plan, {count, 4, 1, in_place}); !status.ok()) return status.message();
  return "";
}
std::string changed(const std::string& what, const std::string& by) { return verdict(replaced(kDirect, what, by)); }

class EveryCollective : public ::testing::TestWithParam<Collective> {};

TEST_P(EveryCollective, IsRightInEachFamilyForRandomRanksRootsCountsAndChunks) {
  RecordProperty("seed", static_cast<int>(kSeed));
  Cases cases(kSeed + static_cast<std::uint64_t>(GetParam()));
  ASSERT_FALSE(families(GetParam()).empty());
  for (const std::string& family : families(GetParam()))
    for (int i = 0; i < kCasesPerFamily; ++i) {
      const Case made = cases.make(family, GetParam(), cases.ranks());
      const Status status = check(made.plan, made.request);
      ASSERT_TRUE(status.ok()) << status.message() << "\nseed " << kSeed << "\n" << made.text();
    }
}

std::vector<Collective> all_collectives() {
  std::vector<Collective> all;
  for (int i = 0; i < kCollectives; ++i) all.push_back(static_cast<Collective>(i));
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, EveryCollective, ::testing::ValuesIn(all_collectives()),
                         [](const auto& at) { return std::string(name_of(at.param)); });

TEST(Check, AcceptsTheExampleOfTheDocumentation) {
  for (std::uint64_t count : {0U, 1U, 7U, 63U, 256U, 1000U, 1281U})
    for (bool in_place : {false, true}) {
      const Status status = check(parsed(kDirect), {count, 4, 0, in_place});
      EXPECT_TRUE(status.ok()) << count << ": " << status.message();
    }
}

TEST(Check, AcceptsOneRankThatCopies) {
  for (Collective collective :
       {Collective::kAllReduce, Collective::kBroadcast, Collective::kAllGather, Collective::kAllToAll})
    for (const std::string& family : families(collective)) {
      Result<Plan> plan = build(family, collective, cluster::uniform(1, 1, 1), 100, {});
      ASSERT_TRUE(plan.ok());
      EXPECT_TRUE(check(*plan, {25, 4, 0, false}).ok());
    }
}

TEST(Check, RefusesRequestsThatDoNotExist) {
  EXPECT_EQ(check(parsed(kDirect), {1, 4, 4, false}).code(), Code::kInvalidArgument);
  EXPECT_EQ(check(parsed(kDirect), {1, 0, 0, false}).code(), Code::kInvalidArgument);
  Result<Plan> exchange = build("pairwise", Collective::kAllToAll, cluster::uniform(2, 2, 1), 100, {});
  ASSERT_TRUE(exchange.ok());
  EXPECT_EQ(check(*exchange, {1, 4, 0, true}).code(), Code::kInvalidArgument);
}

TEST(Check, ReportsADroppedDependencyThatLetsASlotBeOverwritten) {
  EXPECT_NE(changed(" after sum[k-W]", "").find("may still be using"), std::string::npos);
}

TEST(Check, ReportsAWindowDistanceThatIsOneTooLarge) {
  EXPECT_NE(changed("sum[k-W]", "sum[k-3]").find("may still be using"), std::string::npos);
}

TEST(Check, ReportsReadingBeforeTheLastPeerArrived) { EXPECT_NE(changed(" after rx[*]", ""), ""); }

TEST(Check, ReportsSendingAResultThatMayNotBeThere) { EXPECT_NE(changed(" after sum\n", "\n"), ""); }

TEST(Check, ReportsOverwritingTheSendBufferInPlaceBeforeItLeft) {
  EXPECT_NE(changed(" after tx[N-s]", "").find("may still be using"), std::string::npos);
}

TEST(Check, ReportsAWrongPeer) { EXPECT_NE(changed("-> (r+s)%N\n", "-> (r+s+1)%N\n"), ""); }

TEST(Check, ReportsAWrongPart) {
  EXPECT_NE(changed("send in[(r+s)%N]", "send in[(r+s+1)%N]"), "");
  EXPECT_NE(changed("recv out[(r-s)%N]", "recv out[(r-s+1)%N]"), "");
}

TEST(Check, ReportsAWrongRow) { EXPECT_NE(changed("recv land[(r-s)%N]", "recv land[(r-s+1)%N]"), ""); }

TEST(Check, ReportsALostSlice) {
  EXPECT_NE(changed("stage tx2 s=1..N-1", "stage tx2 s=1..N-2").find("never sends it"), std::string::npos);
  EXPECT_NE(changed("stage rx2 s=1..N-1", "stage rx2 s=1..N-2").find("never receives it"), std::string::npos);
}

TEST(Check, ReportsAMissingFinish) { EXPECT_NE(changed(" finish", "").find("not finished"), std::string::npos); }

TEST(Check, ReportsADoubledFinish) {
  EXPECT_NE(changed("stage tx2", "stage more copy out[r] = out[r] finish after sum\nstage tx2"), "");
}

TEST(Check, ReportsAContributionThatIsReadTwiceThroughTheSendBuffer) {
  std::string text = replaced(kDirect, "stage sum ", "stage pre copy out[r] = in[r]\nstage sum ");
  text = replaced(text, "after rx[*]", "after rx[*], pre");
  EXPECT_NE(check(parsed(text), {1000, 4, 0, true}).message().find("pre-scaled twice"), std::string::npos);
}

TEST(Check, ReportsStoringTwiceWithoutReading) {
  std::string text = replaced(kDirect, "stage sum ", "stage pre copy out[r] = in[r]\nstage sum ");
  text = replaced(text, "after rx[*]", "after rx[*], pre");
  EXPECT_NE(check(parsed(text), {1000, 4, 0, false}).message().find("nobody has read"), std::string::npos);
}

TEST(Check, ReportsASumThatClaimsOneRoundingButFoldsByHop) {
  Result<Plan> ring = build("ring", Collective::kAllReduce, cluster::uniform(4, 4, 2), 1 << 20, {});
  ASSERT_TRUE(ring.ok());
  ring->wide = true;
  EXPECT_NE(check(*ring, {1000, 4, 0, false}).message().find("hop by hop"), std::string::npos);
}

TEST(Check, ReportsTwoStagesOnOneLane) {
  EXPECT_NE(changed("channel 1 send", "channel 0 send").find("already uses this lane"), std::string::npos);
}

TEST(Check, ReportsAPlanThatWaitsInACircle) {
  EXPECT_NE(changed("send in[(r+s)%N] -> (r+s)%N", "send in[(r+s)%N] -> (r+s)%N after rx2").find("waits for ever"),
            std::string::npos);
}

TEST(Check, ReportsACreditThatIsMissing) {
  const std::string text =
      "plan allgather.swap\ncollective allgather\nranks 2\norder chunk\nslice 256\nwindow 2\ncredits 1\naccumulate "
      "hop\n"
      "buffer in user whole\nbuffer out user blocks N\nstage own copy out[r] = in\nstage tx send in -> (r+1)%N\n"
      "stage rx recv out[(r+1)%N] <- (r+1)%N after tx\nend\n";
  EXPECT_TRUE(check(parsed(text), {100, 4, 0, false}).ok());
  EXPECT_NE(
      check(parsed(replaced(text, "credits 1", "credits 0")), {100, 4, 0, false}).message().find("waits for ever"),
      std::string::npos);
}

TEST(Check, ReportsRanksThatFoldInDifferentOrders) {
  const std::string text =
      "plan allreduce.odd\ncollective allreduce\nranks 3\norder chunk\nslice 4096\nwindow 2\ncredits 0\naccumulate "
      "hop\n"
      "buffer in user whole\nbuffer out user whole\nbuffer a scratch 1 like in\n"
      "stage tx s=1..2 channel 0 send in -> (r+s)%N\n"
      "stage r1 channel 0 reduce a = in + recv <- (r-1)%N\n"
      "stage r2 channel 0 reduce out = a + recv <- (r-2)%N finish after r1\nend\n";
  // a + recv reads scratch: each rank associates (own + previous) + next. Two ranks never agree.
  EXPECT_NE(check(parsed(text), {10, 4, 0, false}).message().find("another order"), std::string::npos);
}

TEST(Check, ReportsWritingTheResultOfARankThatHasNone) {
  const std::string text =
      "plan gather.all\ncollective gather\nranks 2\norder chunk\nslice 4096\nwindow 2\ncredits 0\naccumulate hop\n"
      "buffer in user whole\nbuffer out user blocks N\nstage own copy out[r] = in\nstage tx channel 0 send in -> "
      "(r+1)%N\n"
      "stage rx channel 0 recv out[(r+1)%N] <- (r+1)%N\nend\n";
  EXPECT_NE(check(parsed(text), {10, 4, 0, false}).message().find("has none"), std::string::npos);
}

}  // namespace
}  // namespace amalgam::plan
