#include "base/hash.h"

#include <gtest/gtest.h>

#include <array>

namespace amalgam {
namespace {

TEST(Hash, OfNothingIsTheOffsetBasis) { EXPECT_EQ(Hash().value(), 0xcbf29ce484222325ULL); }

TEST(Hash, OfBytesIsFnv1a) {
  const std::string_view text = "foobar";
  EXPECT_EQ(Hash().add(std::as_bytes(std::span(text.data(), text.size()))).value(), 0x85944171f73967e8ULL);
}

TEST(Hash, OfAnIntegerReadsItLittleEndian) {
  const std::array<std::byte, 8> bytes = {std::byte{0x08}, std::byte{0x07}, std::byte{0x06}, std::byte{0x05},
                                          std::byte{0x04}, std::byte{0x03}, std::byte{0x02}, std::byte{0x01}};
  EXPECT_EQ(Hash().add_integer(0x0102030405060708ULL).value(), Hash().add(bytes).value());
}

TEST(Hash, TellsWhereOneTextEndsAndTheNextBegins) {
  EXPECT_NE(Hash().add("ab").add("c").value(), Hash().add("a").add("bc").value());
}

}  // namespace
}  // namespace amalgam
