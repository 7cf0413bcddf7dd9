#include "transports/tcp/wire.h"

#include <gtest/gtest.h>

#include <random>

namespace amalgam::tcp {
namespace {

TEST(TcpWire, FrameIsLittleEndianInTheOrderOfTheTag) {
  const transport::SliceTag tag{0x04030201, 0x08070605, 0x100f0e0d0c0b0a09, 0x14131211, 0x18171615};
  const Frame frame = encode(tag);
  for (std::size_t i = 0; i < frame.size(); ++i) EXPECT_EQ(frame[i], static_cast<std::byte>(i + 1));
  EXPECT_EQ(decode(frame), tag);
}

TEST(TcpWire, ListenersSurviveTheJourney) {
  const std::vector<SocketAddress> listeners{*SocketAddress::parse("10.1.2.3:4567"),
                                             *SocketAddress::parse("[2001:db8::7]:89")};
  const auto decoded = decode_listeners(encode_listeners(listeners));
  ASSERT_TRUE(decoded.has_value());
  ASSERT_EQ(decoded->size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ((*decoded)[i].text(), listeners[i].text());
}

TEST(TcpWire, GarbageIsNotADescription) {
  std::mt19937 random(3);
  EXPECT_FALSE(decode_listeners({}).has_value());
  const auto genuine = encode_listeners({*SocketAddress::parse("10.1.2.3:4567")});
  auto longer = genuine;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(decode_listeners(longer).has_value());
  for (std::size_t size = 0; size < genuine.size(); ++size)
    EXPECT_FALSE(decode_listeners({genuine.begin(), genuine.begin() + static_cast<std::ptrdiff_t>(size)}).has_value());
}

}  // namespace
}  // namespace amalgam::tcp
