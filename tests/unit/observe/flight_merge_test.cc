#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "observe/flight.h"
#include "observe/flight_wire.h"

namespace amalgam::observe {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kNow = 100'000'000'000;

FlightEntry collective(std::uint64_t sequence, bool running, double age_seconds = 1) {
  FlightEntry entry;
  entry.sequence = sequence;
  entry.collective = Collective::kAllReduce;
  entry.type = DataType::kFloat32;
  entry.count = 1024;
  entry.entered_ns = kNow - static_cast<std::int64_t>(age_seconds * 1e9);
  entry.completed_ns = running ? 0 : entry.entered_ns + 1;
  return entry;
}

FlightEntry message(Collective what, int peer, std::uint64_t sequence, bool running) {
  FlightEntry entry = collective(sequence, running);
  entry.collective = what;
  entry.root = peer;
  return entry;
}

std::vector<std::byte> record(const std::vector<FlightEntry>& entries) { return encode_flight(entries, kNow); }

TEST(FlightMerge, SaysWhoHasNotEnteredWhat) {
  const auto entered = record({collective(811, false), collective(812, true, 12.4)});
  const auto missing = record({collective(811, false)});
  const std::string text = merge_flight_records({entered, entered, entered, missing});
  EXPECT_THAT(text, HasSubstr("rank 3 has not entered allreduce #812 (entered by 0-2; 12.4 s ago)\n"));
  EXPECT_THAT(text, HasSubstr("ranks 0-2: last allreduce #812 (1024 float sum), running\n"));
  EXPECT_THAT(text, HasSubstr("rank 3: last allreduce #811 (1024 float sum), complete\n"));
}

TEST(FlightMerge, BlamesNobodyWhenAllHaveEntered) {
  const auto running = record({collective(5, true)});
  EXPECT_THAT(merge_flight_records({running, running}), Not(HasSubstr("not entered")));
}

TEST(FlightMerge, ARankThatIsAheadHasEntered) {
  const auto ahead = record({collective(6, true)});  // its ring no longer holds #5
  EXPECT_THAT(merge_flight_records({record({collective(5, true)}), ahead}), Not(HasSubstr("not entered allreduce #5")));
}

TEST(FlightMerge, ARankWithoutOperationsHasEnteredNothing) {
  const std::string text = merge_flight_records({record({collective(0, true)}), record({})});
  EXPECT_THAT(text, HasSubstr("rank 1: no operation yet\n"));
  EXPECT_THAT(text, HasSubstr("rank 1 has not entered allreduce #0"));
}

TEST(FlightMerge, RanksThatDidNotAnswerAreNamedNotBlamed) {
  const std::string text = merge_flight_records({record({collective(5, true)}), {}, {}});
  EXPECT_THAT(text, HasSubstr("ranks 1-2: no answer\n"));
  EXPECT_THAT(text, Not(HasSubstr("not entered")));
}

TEST(FlightMerge, ShowsCallsThatDiffer) {
  FlightEntry other = collective(5, true);
  other.count = 2048;
  const std::string text = merge_flight_records({record({collective(5, true)}), record({other})});
  EXPECT_THAT(
      text,
      HasSubstr(
          "calls differ: rank 0 entered allreduce #5 (1024 float sum), rank 1 entered allreduce #5 (2048 float sum)"));
}

TEST(FlightMerge, AMessageWithoutItsOtherHalfNamesThePeer) {
  const std::string text = merge_flight_records(
      {record({message(Collective::kSend, 1, 3, true)}), record({message(Collective::kRecv, 0, 2, false)})});
  EXPECT_THAT(text, HasSubstr("rank 1 has not entered recv #3 from rank 0"));
}

TEST(FlightMerge, AMessageWithBothHalvesIsFine) {
  const std::string text = merge_flight_records(
      {record({message(Collective::kSend, 1, 3, true)}), record({message(Collective::kRecv, 0, 3, true)})});
  EXPECT_THAT(text, Not(HasSubstr("not entered")));
}

TEST(FlightMerge, StaysShortForManyRanks) {
  std::vector<std::vector<std::byte>> records;
  for (std::uint64_t rank = 0; rank < 2000; ++rank) records.push_back(record({collective(rank, true)}));
  EXPECT_LT(merge_flight_records(records).size(), 100'000u);
}

TEST(FlightMerge, SurvivesGarbage) {
  constexpr unsigned kSeed = 7;
  std::mt19937 random(kSeed);
  const auto good =
      record({collective(5, true), message(Collective::kSend, 1, 3, true), message(Collective::kRecv, -1, 3, true)});
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::vector<std::byte>> records(3, good);
    for (auto& bytes : records) bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    EXPECT_FALSE(merge_flight_records(records).empty()) << "seed " << kSeed;
  }
}

TEST(FlightMerge, NamesMalformedRecords) {
  EXPECT_THAT(merge_flight_records({{std::byte{9}}, record({})}), HasSubstr("rank 0: malformed record\n"));
}

}  // namespace
}  // namespace amalgam::observe
