#include "observe/flight_wire.h"

#include <gtest/gtest.h>

#include <random>

namespace amalgam::observe {
namespace {

std::vector<FlightEntry> two_entries() {
  FlightEntry done, running;
  done.sequence = 1;
  done.collective = Collective::kBroadcast;
  done.root = 2;
  done.count = 10;
  done.entered_ns = 100;
  done.completed_ns = 150;
  running = done;
  running.sequence = 2;
  running.collective = Collective::kAllReduce;
  running.root = -1;
  running.entered_ns = 400;
  running.completed_ns = 0;
  return {done, running};
}

TEST(FlightWire, CarriesAgesInsteadOfClocks) {
  const auto lines = decode_flight(encode_flight(two_entries(), 1000));
  ASSERT_TRUE(lines.ok());
  ASSERT_EQ(lines->size(), 2u);
  EXPECT_EQ((*lines)[0].age_ns, 900);
  EXPECT_FALSE((*lines)[0].running);
  EXPECT_EQ((*lines)[0].entry.collective, Collective::kBroadcast);
  EXPECT_EQ((*lines)[0].entry.root, 2);
  EXPECT_EQ((*lines)[1].age_ns, 600);
  EXPECT_TRUE((*lines)[1].running);
  EXPECT_EQ((*lines)[1].entry.root, -1);
}

TEST(FlightWire, AnEmptyRecordIsARecord) {
  const auto lines = decode_flight(encode_flight({}, 5));
  ASSERT_TRUE(lines.ok());
  EXPECT_TRUE(lines->empty());
}

TEST(FlightWire, EveryTruncationAndEveryExtensionIsRefused) {
  const std::vector<std::byte> bytes = encode_flight(two_entries(), 1000);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_flight(std::span(bytes).first(size)).ok()) << size;
  std::vector<std::byte> longer = bytes;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(decode_flight(longer).ok());
}

TEST(FlightWire, GarbageIsDecodedToValidEntriesOrRefused) {
  constexpr unsigned kSeed = 20240817;
  std::mt19937 random(kSeed);
  const std::vector<std::byte> good = encode_flight(two_entries(), 1000);
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::byte> bytes = good;
    for (unsigned i = 0; i <= random() % 3; ++i) bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    const auto lines = decode_flight(bytes);
    if (!lines.ok()) {
      ++refused;
      continue;
    }
    for (const FlightLine& line : *lines) {
      ASSERT_LT(static_cast<int>(line.entry.collective), kCollectives);
      ASSERT_LT(static_cast<int>(line.entry.type), kDataTypes);
      ASSERT_LT(static_cast<int>(line.entry.op), kReduceOps);
      ASSERT_GE(line.age_ns, 0);
    }
  }
  EXPECT_GT(refused, 0) << "seed " << kSeed;
}

}  // namespace
}  // namespace amalgam::observe
