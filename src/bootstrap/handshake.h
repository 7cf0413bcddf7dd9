#pragma once

// The frames by which two processes prove to each other that they know a group's key, before anything else is read.
//
//   dialler  → hello      80 bytes  purpose, ranks, stream key, key's name, fresh nonce
//   listener → challenge  80 bytes  answer; fresh nonce and the listener's proof over hello and nonce
//   dialler  → proof      32 bytes  the dialler's proof over the same
//   listener → welcome     8 bytes  answer: the connection now belongs to whoever it is for
//
// All frames have a fixed size and are written little-endian. A refusal is a challenge or welcome whose answer is not
// kAccepted; the listener then closes. Nothing follows before the welcome, so an authenticated connection starts empty.
//
// Threads  pure functions, any thread.

#include <array>
#include <cstdint>
#include <optional>

#include "base/transport.h"
#include "bootstrap/secret.h"

namespace amalgam::bootstrap {

inline constexpr std::uint16_t kProtocolVersion = 1;
inline constexpr std::uint32_t kRootTarget = 0xffffffff;  // Hello::to of a rank that joins

enum class Purpose : std::uint8_t { kJoin = 1, kTree = 2, kStream = 3 };
enum class Answer : std::uint8_t { kAccepted = 0, kUnknownKey = 1, kVersion = 2, kUnknownTarget = 3, kRefused = 4 };

struct Hello {
  Purpose purpose{};
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  bool early = false;  // the listener may not have heard of the key yet: not knowing it is no sign of another secret
  transport::StreamKey stream{};
  KeyId key{};
  Nonce nonce{};
};

struct Challenge {
  std::uint16_t version = kProtocolVersion;
  Answer answer{};
  Nonce nonce{};
  Proof proof{};
};

using HelloFrame = std::array<std::byte, 80>;
using ChallengeFrame = std::array<std::byte, 80>;
using WelcomeFrame = std::array<std::byte, 8>;

HelloFrame encode(const Hello& hello);
ChallengeFrame encode(const Challenge& challenge);
WelcomeFrame encode_welcome(Answer answer);

// What arrived: nothing when it is not such a frame. A hello of another version has only its version.
struct ReceivedHello {
  std::uint16_t version = 0;
  Hello hello;
};
std::optional<ReceivedHello> decode_hello(ConstBytes frame);
std::optional<Challenge> decode_challenge(ConstBytes frame);
std::optional<Answer> decode_welcome(ConstBytes frame);

}  // namespace amalgam::bootstrap
