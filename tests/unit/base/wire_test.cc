#include "base/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amalgam {
namespace {

using testing::ElementsAre;

TEST(Wire, WritesIntegersLittleEndian) {
  Writer writer;
  writer.integer<std::uint32_t>(0x01020304);
  EXPECT_THAT(writer.bytes(), ElementsAre(std::byte{4}, std::byte{3}, std::byte{2}, std::byte{1}));
}

TEST(Wire, ReadsBackWhatWasWritten) {
  Writer writer;
  writer.integer<std::int64_t>(-5).integer<std::uint8_t>(200).text("ring").integer<std::uint16_t>(65535).text("");
  const std::vector<std::byte> bytes = writer.take();
  Reader reader(bytes);
  EXPECT_EQ(reader.integer<std::int64_t>(), -5);
  EXPECT_EQ(reader.integer<std::uint8_t>(), 200);
  EXPECT_EQ(reader.text(), "ring");
  EXPECT_EQ(reader.integer<std::uint16_t>(), 65535);
  EXPECT_EQ(reader.text(), "");
  EXPECT_TRUE(reader.finished());
}

TEST(Wire, ReadingPastTheEndYieldsZeroAndFailsForGood) {
  Writer writer;
  writer.integer<std::uint16_t>(7);
  Reader reader(writer.bytes());
  EXPECT_EQ(reader.integer<std::uint32_t>(), 0u);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.integer<std::uint16_t>(), 0u);
  EXPECT_FALSE(reader.ok());
}

TEST(Wire, ALengthThatLiesIsNotBelieved) {
  Writer writer;
  writer.integer<std::uint32_t>(0xffffffff).integer<std::uint8_t>(1);
  Reader reader(writer.bytes());
  EXPECT_TRUE(reader.blob().empty());
  EXPECT_FALSE(reader.ok());
}

TEST(Wire, LeftOverBytesAreNotFinished) {
  Writer writer;
  writer.integer<std::uint16_t>(7);
  Reader reader(writer.bytes());
  reader.integer<std::uint8_t>();
  EXPECT_TRUE(reader.ok());
  EXPECT_FALSE(reader.finished());
  EXPECT_EQ(reader.remaining(), 1u);
}

TEST(Wire, EveryTruncationOfAMessageIsNoticed) {
  Writer writer;
  writer.text("allreduce").integer<std::uint64_t>(12).blob(std::vector<std::byte>(9));
  const std::vector<std::byte> bytes = writer.take();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Reader reader{std::span(bytes).first(size)};
    reader.text();
    reader.integer<std::uint64_t>();
    reader.blob();
    EXPECT_FALSE(reader.ok()) << "cut to " << size << " bytes";
  }
}

}  // namespace
}  // namespace amalgam
