// The pure parts: ids, interface choice, addresses, tree shape, codecs.

#include <gmock/gmock.h>

#include "base/wire.h"
#include "bootstrap/gather.h"
#include "bootstrap/handshake.h"
#include "bootstrap/id_content.h"
#include "bootstrap/interfaces.h"
#include "bootstrap/rendezvous.h"

namespace amalgam::bootstrap {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

SocketAddress address(const std::string& text) {
  Result<SocketAddress> parsed = SocketAddress::parse(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed ? *parsed : SocketAddress{};
}

TEST(SocketAddress, TextsParseBack) {
  for (const char* text : {"10.0.0.1:123", "127.0.0.1:0", "[::1]:65535", "[fd00::2]:80", "[fe80::1%lo]:9"})
    EXPECT_EQ(address(text).text(), text);
  for (const char* text :
       {"", "10.0.0.1", "10.0.0.1:", "10.0.0.1:x", "10.0.0.1:65536", "::1:5", "[::1]", "host:5", "[fe80::1%nosuch]:9"})
    EXPECT_FALSE(SocketAddress::parse(text).ok()) << text;
}

TEST(SocketAddress, KnowsLoopback) {
  for (const char* text : {"127.3.2.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1"})
    EXPECT_TRUE(address(text).is_loopback()) << text;
  for (const char* text : {"10.0.0.1:1", "[fd00::2]:1", "[::ffff:10.0.0.1]:1"})
    EXPECT_FALSE(address(text).is_loopback()) << text;
}

std::vector<std::string> chosen(const std::string& grammar, sa_family_t family = AF_UNSPEC) {
  const std::vector<Interface> all = {
      {"lo", address("127.0.0.1:0")},       {"eth0", address("10.0.0.1:0")}, {"eth01", address("10.0.1.1:0")},
      {"docker0", address("172.17.0.1:0")}, {"ib0", address("10.1.0.1:0")},  {"lo", address("[::1]:0")},
      {"eth0", address("[fd00::1]:0")},     {"v6", address("[fd00::2]:0")},  {"v6", address("[fe80::2%lo]:0")}};
  std::vector<std::string> names;
  for (const Interface& interface : choose_interfaces(all, grammar, family)) names.push_back(interface.name);
  return names;
}

TEST(Interfaces, FollowNcclsGrammar) {
  EXPECT_THAT(chosen(""), ElementsAre("ib0", "eth0", "eth01", "v6"));
  EXPECT_THAT(chosen("eth0"), ElementsAre("eth0", "eth01"));
  EXPECT_THAT(chosen("=eth0"), ElementsAre("eth0"));
  EXPECT_THAT(chosen("=lo"), ElementsAre("lo"));
  EXPECT_THAT(chosen("docker,lo"), ElementsAre("docker0", "lo"));
  EXPECT_THAT(chosen("^eth,ib"), ElementsAre("v6"));
  EXPECT_THAT(chosen("^=eth0"), ElementsAre("ib0", "eth01", "v6"));
  EXPECT_THAT(chosen("^eth,ib,v6"), ElementsAre("docker0"));
  EXPECT_THAT(chosen("nosuch"), IsEmpty());
  EXPECT_THAT(chosen("", AF_INET6), ElementsAre("eth0", "v6"));
  EXPECT_THAT(chosen("=lo", AF_INET6), ElementsAre("lo"));
}

TEST(Interfaces, FallBackToLoopback) {
  const auto only = choose_interfaces({{"lo", address("127.0.0.1:0")}}, "", AF_UNSPEC);
  ASSERT_EQ(only.size(), 1u);
  EXPECT_EQ(only[0].name, "lo");
}

TEST(UniqueId, CarriesItsContent) {
  IdContent content{
      RootPlace::kCreator, Key{std::byte{1}, std::byte{2}}, {address("10.0.0.1:5"), address("[fd00::1]:6")}};
  Result<IdContent> back = decode_id(encode_id(content));
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_EQ(back->secret, content.secret);
  ASSERT_EQ(back->addresses.size(), 2u);
  EXPECT_EQ(back->addresses[1].text(), "[fd00::1]:6");
}

TEST(UniqueId, ForeignAndDamagedOnesAreToldApart) {
  UniqueId foreign;
  foreign.bytes[0] = std::byte{0x42};
  EXPECT_EQ(check_unique_id(foreign).code(), Code::kInvalidArgument);
  EXPECT_THAT(check_unique_id(foreign).message(), HasSubstr("preloaded on every host"));
  const UniqueId good = encode_id({RootPlace::kCreator, {}, {address("10.0.0.1:5")}});
  EXPECT_TRUE(check_unique_id(good).ok());
  for (std::size_t i = 0; i < good.bytes.size(); ++i) {
    UniqueId bad = good;
    bad.bytes[i] ^= std::byte{0x20};
    EXPECT_FALSE(check_unique_id(bad).ok()) << "byte " << i;
  }
}

TEST(UniqueId, KeepsAsManyAddressesAsFit) {
  IdContent content{RootPlace::kCreator, {}, std::vector<SocketAddress>(40, address("10.0.0.1:5"))};
  EXPECT_EQ(decode_id(encode_id(content))->addresses.size(), 11u);
}

TEST(CommId, NeedsASecretOffLoopback) {
  EXPECT_TRUE(content_from_comm_id("127.0.0.1:4000", "").ok());
  EXPECT_TRUE(content_from_comm_id("[::1]:4000", "").ok());
  EXPECT_TRUE(content_from_comm_id("10.0.0.1:4000", "secret").ok());
  EXPECT_THAT(content_from_comm_id("10.0.0.1:4000", "").status().message(), HasSubstr("AMALGAM_SECRET"));
  for (const char* bad : {"nonsense", ":5", "127.0.0.1:0"})
    EXPECT_FALSE(content_from_comm_id(bad, "secret").ok()) << bad;
}

TEST(CommId, GivesTheSameKeyToTheSameSecretOnly) {
  const auto key = [](const char* comm_id, const char* secret) {
    return content_from_comm_id(comm_id, secret)->secret;
  };
  EXPECT_EQ(key("10.0.0.1:4000", "a"), key("10.0.0.2:4000", "a")) << "hosts may resolve a name differently";
  EXPECT_NE(key("10.0.0.1:4000", "a"), key("10.0.0.1:4000", "b"));
  EXPECT_NE(key("10.0.0.1:4000", "a"), key("10.0.0.1:4001", "a"));
  EXPECT_NE(key("127.0.0.1:4000", "loopback"), key("127.0.0.1:4000", ""));
}

TEST(Tree, EveryRankHasOneParentAndSubtreesAddUp) {
  for (std::uint32_t ranks : {1u, 2u, 5u, 6u, 21u, 22u, 100u, 1365u, 1366u}) {
    std::vector<std::uint32_t> size(ranks, 1);
    for (std::uint32_t rank = ranks - 1; rank > 0; --rank) {
      EXPECT_THAT(children_of(parent_of(rank), ranks), testing::Contains(rank));
      size[parent_of(rank)] += size[rank];
    }
    for (std::uint32_t rank = 0; rank < ranks; ++rank)
      EXPECT_EQ(subtree_size(rank, ranks), size[rank]) << rank << " of " << ranks;
  }
}

TEST(Rendezvous, CutMessagesAreRefused) {
  JoinRequest request{8, 1, "0.1.0", 1000, {3, 42, "host", {address("10.0.0.1:5"), address("[::1]:6")}}};
  const auto bytes = encode(request);
  Result<JoinRequest> back = decode_join(bytes);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->contact.text(), "rank 3 (host, pid 42)");
  EXPECT_EQ(back->contact.listeners[1].text(), "[::1]:6");
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_join(ConstBytes(bytes).first(size)).ok()) << size;
  const auto assignment = encode(Assignment{{}, {request.contact}, {request.contact}});
  ASSERT_TRUE(decode_assignment(assignment).ok());
  for (std::size_t size = 0; size < assignment.size(); ++size)
    EXPECT_FALSE(decode_assignment(ConstBytes(assignment).first(size)).ok()) << size;
}

TEST(Rendezvous, ErrorTextsAreCutAndCleaned) {
  const Status back = decode_error(encode(Status(Code::kRemote, std::string(2000, '\x1b'))));
  EXPECT_EQ(back.code(), Code::kRemote);
  EXPECT_EQ(back.message(), std::string(kMaxErrorText, '?'));
  EXPECT_EQ(decode_error({}).code(), Code::kProtocol);
  for (int code = static_cast<int>(Code::kInvalidArgument); code < static_cast<int>(Code::kInProgress); ++code)
    EXPECT_EQ(decode_error(encode(Status(static_cast<Code>(code), "why"))).message(), "why") << code;
  EXPECT_EQ(decode_error(encode(Status(Code::kInProgress, ""))).code(), Code::kProtocol);
}

TEST(Rendezvous, EveryErrorCodeTravels) {
  for (int code = 1; code < static_cast<int>(Code::kInProgress); ++code)
    EXPECT_EQ(decode_error(encode(Status(static_cast<Code>(code), "why"))).code(), static_cast<Code>(code));
}

TEST(Handshake, ProofsDifferBySideNonceAndHello) {
  const Key key{std::byte{1}};
  const HelloFrame hello{};
  HelloFrame other = hello;
  other[79] = std::byte{1};
  const Proof proof = prove(key, Side::kDialer, hello, {});
  EXPECT_TRUE(same(proof, prove(key, Side::kDialer, hello, {})));
  EXPECT_FALSE(same(proof, prove(key, Side::kListener, hello, {})));
  EXPECT_FALSE(same(proof, prove(key, Side::kDialer, other, {})));
  EXPECT_FALSE(same(proof, prove(key, Side::kDialer, hello, Nonce{std::byte{1}})));
  EXPECT_FALSE(same(proof, prove(Key{std::byte{2}}, Side::kDialer, hello, {})));
}

TEST(Gather, RefusesEntriesThatAreNotTheChilds) {
  Gather gather(0, 6, {[](Payload) {}, [](Payload) {}});
  const auto up = [](std::uint64_t call, std::vector<std::uint32_t> ranks) {
    Writer writer;
    writer.integer(call).integer(static_cast<std::uint32_t>(ranks.size()));
    for (std::uint32_t rank : ranks) writer.integer(rank).text("x");
    return writer.take();
  };
  EXPECT_TRUE(gather.from_child(1, up(0, {1, 5})).ok());
  EXPECT_FALSE(gather.from_child(1, up(0, {1, 5})).ok()) << "twice";
  EXPECT_FALSE(gather.from_child(2, up(0, {3})).ok()) << "another child's";
  EXPECT_FALSE(gather.from_child(1, up(1, {1})).ok()) << "incomplete";
  EXPECT_FALSE(gather.from_child(2, up(99999, {2})).ok()) << "too far ahead";
  EXPECT_FALSE(gather.from_child(2, ConstBytes(up(1, {2})).first(10)).ok()) << "cut";
}

}  // namespace
}  // namespace amalgam::bootstrap
