#include "observe/flight.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace amalgam::observe {
namespace {

FlightEntry entry(std::uint64_t sequence) {
  FlightEntry result;
  result.sequence = sequence;
  result.collective = Collective::kReduce;
  result.type = DataType::kBfloat16;
  result.op = ReduceOp::kPreMulSum;
  result.root = static_cast<std::int32_t>(sequence % 7) - 1;
  result.count = sequence << 33;
  result.entered_ns = static_cast<std::int64_t>(sequence) * 10;
  return result;
}

TEST(FlightRecord, IsEmptyAtFirst) { EXPECT_TRUE(FlightRecord(8).snapshot().empty()); }

TEST(FlightRecord, KeepsEveryFieldOfAnEntry) {
  FlightRecord record(8);
  record.complete(record.enter(entry(5)), 77);
  const std::vector<FlightEntry> entries = record.snapshot();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].sequence, 5u);
  EXPECT_EQ(entries[0].collective, Collective::kReduce);
  EXPECT_EQ(entries[0].type, DataType::kBfloat16);
  EXPECT_EQ(entries[0].op, ReduceOp::kPreMulSum);
  EXPECT_EQ(entries[0].root, 4);
  EXPECT_EQ(entries[0].count, std::uint64_t{5} << 33);
  EXPECT_EQ(entries[0].entered_ns, 50);
  EXPECT_EQ(entries[0].completed_ns, 77);
}

TEST(FlightRecord, KeepsARootOfMinusOne) {
  FlightRecord record(8);
  record.enter(entry(0));
  EXPECT_EQ(record.snapshot()[0].root, -1);
}

TEST(FlightRecord, KeepsTheNewestInOrder) {
  FlightRecord record(4);
  for (std::uint64_t i = 0; i < 11; ++i) record.enter(entry(i));
  const std::vector<FlightEntry> entries = record.snapshot();
  ASSERT_EQ(entries.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(entries[i].sequence, 7 + i);
}

TEST(FlightRecord, CompletingAnEntryThatIsGoneChangesNothing) {
  FlightRecord record(2);
  const std::uint64_t old = record.enter(entry(0));
  record.enter(entry(1));
  record.enter(entry(2));
  record.complete(old, 99);
  for (const FlightEntry& each : record.snapshot()) EXPECT_EQ(each.completed_ns, 0) << each.sequence;
}

TEST(FlightRecord, AReaderNeverSeesHalfAnEntry) {
  FlightRecord record(4);
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (std::uint64_t i = 0; !stop.load(std::memory_order_relaxed); ++i)
      record.complete(record.enter(entry(i)), static_cast<std::int64_t>(i) * 10 + 1);
  });
  std::uint64_t seen = 0;
  while (seen < 20000) {
    for (const FlightEntry& each : record.snapshot()) {
      const FlightEntry whole = entry(each.sequence);
      ASSERT_EQ(each.count, whole.count);
      ASSERT_EQ(each.root, whole.root);
      ASSERT_EQ(each.entered_ns, whole.entered_ns);
      ASSERT_TRUE(each.completed_ns == 0 || each.completed_ns == whole.entered_ns + 1);
      ++seen;
    }
  }
  stop.store(true, std::memory_order_relaxed);
  writer.join();
}

}  // namespace
}  // namespace amalgam::observe
