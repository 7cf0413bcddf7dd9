// Strangers on the bootstrap port: garbage, floods, replays, wrong secrets, connections that say nothing.

#include <gmock/gmock.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>

#include "bootstrap/handshake.h"
#include "bootstrap/id_content.h"
#include "bootstrap/service.h"
#include "ranks.h"

namespace amalgam::bootstrap {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

SocketAddress listener() { return (*Service::get())->listener_addresses()[0]; }

UniqueFd connect_to(const SocketAddress& address) {
  UniqueFd fd(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(connect(fd.get(), address.get(), address.length()), 0) << errno;
  return fd;
}

bool send_all(int fd, ConstBytes bytes) {
  return send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

// Reads until the peer closes or resets.
std::vector<std::byte> read_to_end(int fd) {
  std::vector<std::byte> all;
  std::byte buffer[512];
  for (ssize_t got; (got = read(fd, buffer, sizeof(buffer))) > 0;) all.insert(all.end(), buffer, buffer + got);
  return all;
}

std::vector<std::byte> read_exactly(int fd, std::size_t size) {
  std::vector<std::byte> bytes(size);
  EXPECT_EQ(recv(fd, bytes.data(), size, MSG_WAITALL), static_cast<ssize_t>(size));
  return bytes;
}

HelloFrame hello_for(const UniqueId& id) {
  Hello hello;
  hello.purpose = Purpose::kJoin;
  hello.from = 1;
  hello.to = kRootTarget;
  hello.key = name_of(decode_id(id)->secret);
  return encode(hello);
}

TEST(Hostile, GarbageIsClosedWithoutAWord) {
  new_id();
  std::mt19937 random(20260101);
  for (int i = 0; i < 50; ++i) {
    UniqueFd fd = connect_to(listener());
    std::vector<std::byte> garbage(80);
    for (std::byte& b : garbage) b = static_cast<std::byte>(random());
    ASSERT_TRUE(send_all(fd.get(), garbage));
    EXPECT_TRUE(read_to_end(fd.get()).empty());
  }
}

TEST(Hostile, AnUnknownKeyIsRefused) {
  UniqueId id = encode_id({RootPlace::kCreator, Key{std::byte{7}}, {(new_id(), listener())}});
  Joined joined = Group::join(options_of(id, 0, 2));
  ASSERT_FALSE(joined.ok());
  EXPECT_THAT(joined.status().message(), HasSubstr("does not know this unique id"));
}

UniqueId id_of_address(const SocketAddress& address, const std::string& secret) {
  Result<IdContent> content = content_from_comm_id(address.text(), secret);
  EXPECT_TRUE(content.ok()) << content.status().message();
  return encode_id(*content);
}

// A port of the loopback interface that nobody listens on.
SocketAddress free_address() {
  SocketAddress address = *SocketAddress::parse("127.0.0.1:0");
  UniqueFd fd(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  socklen_t length = address.length();
  EXPECT_EQ(bind(fd.get(), address.get(), length), 0) << errno;
  EXPECT_EQ(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address.storage), &length), 0);
  return address;
}

Status failed_join(const UniqueId& id, int rank, std::chrono::milliseconds timeout) {
  Joined joined = Group::join(options_of(id, rank, 2, timeout));
  EXPECT_FALSE(joined.ok());
  return joined.status();
}

TEST(WrongSecret, OfAFixedAddressIsNamedByBothSides) {
  const SocketAddress address = free_address();
  const std::chrono::milliseconds timeout{2000};
  Status statuses[2];
  on_threads(2, [&](int rank) {
    const std::string secret = rank == 0 ? "the root's" : "another";
    statuses[rank] = failed_join(id_of_address(address, secret), rank, timeout);
  });
  EXPECT_THAT(statuses[0].message(),
              AllOf(HasSubstr("rank 1 has not joined; "), HasSubstr(" from 127.0.0.1 failed the authentication"),
                    HasSubstr("set AMALGAM_SECRET")));
  EXPECT_THAT(statuses[1].message(),
              AllOf(HasSubstr("the root (rank 0, by NCCL_COMM_ID) at " + address.text()),
                    HasSubstr("refused our proof of the secret"), HasSubstr("set AMALGAM_SECRET")));
}

TEST(WrongSecret, OfAUniqueIdIsNamedByBothSides) {
  const UniqueId id = new_id();
  const UniqueId other = encode_id({RootPlace::kCreator, Key{std::byte{8}}, {listener()}});
  EXPECT_THAT(failed_join(other, 1, kPatience).message(),
              AllOf(HasSubstr("at " + listener().text()), HasSubstr("pass the id of one ncclGetUniqueId")));
  EXPECT_THAT(failed_join(id, 0, std::chrono::milliseconds(300)).message(),
              AllOf(HasSubstr("rank 1 has not joined; 1 connection from 127.0.0.1 failed the authentication"),
                    HasSubstr("pass the id of one ncclGetUniqueId")));
}

// A child's rank may dial before its leader has opened the rendezvous: that is no wrong secret.
TEST(WrongSecret, IsNotSaidOfARankThatIsEarly) {
  const UniqueId id = new_id();
  const UniqueId early = encode_id({RootPlace::kLeader, Key{std::byte{9}}, {listener()}});
  EXPECT_THAT(failed_join(early, 1, std::chrono::milliseconds(1000)).message(),
              HasSubstr("does not know the new group's secret"));
  EXPECT_THAT(failed_join(id, 0, std::chrono::milliseconds(300)).message(),
              AllOf(HasSubstr("rank 1 has not joined"), Not(HasSubstr("authentication"))));
}

TEST(Hostile, AWrongProofIsClosed) {
  const UniqueId id = new_id();
  UniqueFd fd = connect_to(listener());
  ASSERT_TRUE(send_all(fd.get(), hello_for(id)));
  const auto challenge = decode_challenge(read_exactly(fd.get(), sizeof(ChallengeFrame)));
  ASSERT_TRUE(challenge.has_value());
  EXPECT_EQ(challenge->answer, Answer::kAccepted);
  ASSERT_TRUE(send_all(fd.get(), Proof{}));
  EXPECT_TRUE(read_to_end(fd.get()).empty());
}

TEST(Hostile, ARecordedHandshakeCannotBeReplayed) {
  const UniqueId id = new_id();
  const Key key = decode_id(id)->secret;
  const HelloFrame hello = hello_for(id);
  Proof recorded{};
  {
    UniqueFd fd = connect_to(listener());  // a member's handshake, as someone on the wire sees it
    ASSERT_TRUE(send_all(fd.get(), hello));
    const auto challenge = decode_challenge(read_exactly(fd.get(), sizeof(ChallengeFrame)));
    ASSERT_TRUE(challenge.has_value());
    EXPECT_TRUE(same(challenge->proof, prove(key, Side::kListener, hello, challenge->nonce)));
    recorded = prove(key, Side::kDialer, hello, challenge->nonce);
    ASSERT_TRUE(send_all(fd.get(), recorded));
    EXPECT_EQ(decode_welcome(read_exactly(fd.get(), sizeof(WelcomeFrame))), Answer::kAccepted);
  }
  UniqueFd fd = connect_to(listener());
  ASSERT_TRUE(send_all(fd.get(), hello));
  read_exactly(fd.get(), sizeof(ChallengeFrame));
  ASSERT_TRUE(send_all(fd.get(), recorded));
  EXPECT_TRUE(read_to_end(fd.get()).empty());
}

TEST(Hostile, AnotherProtocolVersionIsToldOurs) {
  HelloFrame hello = hello_for(new_id());
  hello[8] = std::byte{99};
  UniqueFd fd = connect_to(listener());
  ASSERT_TRUE(send_all(fd.get(), hello));
  const auto challenge = decode_challenge(read_to_end(fd.get()));
  ASSERT_TRUE(challenge.has_value());
  EXPECT_EQ(challenge->answer, Answer::kVersion);
  EXPECT_EQ(challenge->version, kProtocolVersion);
}

TEST(Hostile, AnAuthenticatedMemberThatTalksNonsenseEndsTheInitWithAText) {
  const UniqueId id = new_id();
  const Key key = decode_id(id)->secret;
  UniqueFd fd = connect_to(listener());
  const HelloFrame hello = hello_for(id);
  ASSERT_TRUE(send_all(fd.get(), hello));
  const auto challenge = decode_challenge(read_exactly(fd.get(), sizeof(ChallengeFrame)));
  ASSERT_TRUE(challenge.has_value());
  ASSERT_TRUE(send_all(fd.get(), prove(key, Side::kDialer, hello, challenge->nonce)));
  read_exactly(fd.get(), sizeof(WelcomeFrame));
  const std::byte frame[12] = {std::byte{4}, {}, {},           {},           std::byte{1}, {},
                               {},           {}, std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  ASSERT_TRUE(send_all(fd.get(), frame));
  Joined joined = Group::join(options_of(id, 0, 2));
  ASSERT_FALSE(joined.ok());
  EXPECT_THAT(joined.status().message(), HasSubstr("malformed join"));
}

TEST(Hostile, EightRanksJoinWhileTwoThousandStrangersConnect) {
  const UniqueId id = new_id();
  const SocketAddress target = listener();
  std::atomic<bool> joined{false};
  std::thread flood([&] {
    std::vector<UniqueFd> held;
    std::mt19937 random(42);
    for (int i = 0; i < 2000; ++i) {
      UniqueFd fd(socket(target.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      if (!fd.valid()) held.clear();
      (void)!connect(fd.get(), target.get(), target.length());
      const std::byte garbage[3] = {static_cast<std::byte>(random()), {}, {}};
      (void)!send(fd.get(), garbage, sizeof(garbage), MSG_NOSIGNAL);
      held.push_back(std::move(fd));
      if (held.size() > 1200) held.erase(held.begin(), held.begin() + 600);
    }
  });
  auto groups = join_all(id, 8);
  flood.join();
  ASSERT_EQ(groups.size(), 8u);
  on_threads(8, [&](int rank) {
    EXPECT_TRUE(groups[static_cast<std::size_t>(rank)]->allgather(blob("x"), nullptr, kPatience).ok());
  });
}

}  // namespace
}  // namespace amalgam::bootstrap
