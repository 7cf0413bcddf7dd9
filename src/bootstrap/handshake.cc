#include "bootstrap/handshake.h"

#include <algorithm>
#include <cstring>

#include "base/wire.h"

namespace amalgam::bootstrap {
namespace {

constexpr std::string_view kMagic = "AMALGAM1";
constexpr std::uint32_t kWelcomeMagic = 0x4d4c4757;

template <std::size_t N>
std::array<std::byte, N> fixed(const Writer& writer) {
  std::array<std::byte, N> frame{};
  std::copy(writer.bytes().begin(), writer.bytes().end(), frame.begin());
  return frame;
}

template <std::size_t N>
void read_into(Reader& reader, std::array<std::byte, N>* target) {
  const ConstBytes bytes = reader.raw(N);
  std::copy(bytes.begin(), bytes.end(), target->begin());
}

bool starts_with_magic(Reader& reader) {
  const ConstBytes magic = reader.raw(kMagic.size());
  return reader.ok() && std::memcmp(magic.data(), kMagic.data(), kMagic.size()) == 0;
}

Writer start() {
  Writer writer;
  writer.raw(std::as_bytes(std::span(kMagic.data(), kMagic.size())));
  return writer;
}

bool known(Purpose purpose) { return purpose >= Purpose::kJoin && purpose <= Purpose::kStream; }
bool known(Answer answer) { return answer <= Answer::kRefused; }

}  // namespace

HelloFrame encode(const Hello& hello) {
  Writer writer = start();
  writer.integer(kProtocolVersion).integer(static_cast<std::uint8_t>(hello.purpose));
  writer.integer<std::uint8_t>(hello.early ? 1 : 0);
  writer.integer(hello.from).integer(hello.to);
  writer.integer(hello.stream.transport)
      .integer(hello.stream.channel)
      .integer(hello.stream.rail)
      .integer(hello.stream.index);
  writer.integer<std::uint16_t>(0).raw(hello.key).raw(hello.nonce);
  return fixed<sizeof(HelloFrame)>(writer);
}

ChallengeFrame encode(const Challenge& challenge) {
  Writer writer = start();
  writer.integer(challenge.version).integer(static_cast<std::uint8_t>(challenge.answer)).integer<std::uint8_t>(0);
  writer.raw(challenge.nonce).raw(challenge.proof);
  return fixed<sizeof(ChallengeFrame)>(writer);
}

WelcomeFrame encode_welcome(Answer answer) {
  Writer writer;
  writer.integer(kWelcomeMagic).integer(static_cast<std::uint8_t>(answer));
  return fixed<sizeof(WelcomeFrame)>(writer);
}

std::optional<ReceivedHello> decode_hello(ConstBytes frame) {
  Reader reader(frame);
  if (!starts_with_magic(reader)) return std::nullopt;
  ReceivedHello received;
  received.version = reader.integer<std::uint16_t>();
  if (received.version != kProtocolVersion) return received;
  Hello& hello = received.hello;
  hello.purpose = static_cast<Purpose>(reader.integer<std::uint8_t>());
  hello.early = reader.integer<std::uint8_t>() != 0;
  hello.from = reader.integer<std::uint32_t>();
  hello.to = reader.integer<std::uint32_t>();
  hello.stream.transport = reader.integer<std::uint8_t>();
  hello.stream.channel = reader.integer<std::uint8_t>();
  hello.stream.rail = reader.integer<std::uint16_t>();
  hello.stream.index = reader.integer<std::uint16_t>();
  reader.raw(2);
  read_into(reader, &hello.key);
  read_into(reader, &hello.nonce);
  if (!reader.ok() || !known(hello.purpose)) return std::nullopt;
  return received;
}

std::optional<Challenge> decode_challenge(ConstBytes frame) {
  Reader reader(frame);
  if (!starts_with_magic(reader)) return std::nullopt;
  Challenge challenge;
  challenge.version = reader.integer<std::uint16_t>();
  challenge.answer = static_cast<Answer>(reader.integer<std::uint8_t>());
  reader.raw(1);
  read_into(reader, &challenge.nonce);
  read_into(reader, &challenge.proof);
  if (!reader.ok() || !known(challenge.answer)) return std::nullopt;
  return challenge;
}

std::optional<Answer> decode_welcome(ConstBytes frame) {
  Reader reader(frame);
  if (reader.integer<std::uint32_t>() != kWelcomeMagic) return std::nullopt;
  const auto answer = static_cast<Answer>(reader.integer<std::uint8_t>());
  if (!reader.ok() || !known(answer)) return std::nullopt;
  return answer;
}

}  // namespace amalgam::bootstrap
