#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "topo/assemble.h"
#include "topo/cpu_list.h"
#include "topo/local.h"

namespace amalgam::topo {
namespace {

// A machine made of files.
class FakeMachine : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = ::testing::TempDir() + "topo.XXXXXX";
    ASSERT_NE(::mkdtemp(root_.data()), nullptr);
    ::unsetenv("NCCL_HOSTID");
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void file(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text << "\n";
  }
  void interface(const std::string& name, const std::string& state, const std::string& speed) const {
    file("/sys/class/net/" + name + "/operstate", state);
    if (!speed.empty()) file("/sys/class/net/" + name + "/speed", speed);
  }
  std::string root_;
};

TEST_F(FakeMachine, GivesTheCpusOfTheProcess) {
  file("/proc/self/status", "Name:\tx\nCpus_allowed_list:\t0-2,8,10-11");
  EXPECT_EQ(read_local({}, root_).cpus, (std::vector<std::uint32_t>{0, 1, 2, 8, 10, 11}));
}

TEST_F(FakeMachine, HasOneCpuWhenNothingCanBeRead) {
  const LocalFacts facts = read_local({}, root_);
  EXPECT_EQ(facts.cpus, std::vector<std::uint32_t>{0});
  EXPECT_EQ(facts.rails, (std::vector<cluster::Rail>{{"lo", kLoopbackSpeed, kRailLatency}}));
}

TEST_F(FakeMachine, TakesInterfacesThatAreUpByName) {
  interface("lo", "unknown", "");
  interface("eth1", "up", "25000");
  interface("eth0", "up", "100000");
  interface("eth2", "down", "100000");
  interface("docker0", "up", "10000");
  EXPECT_EQ(read_local({}, root_).rails, (std::vector<cluster::Rail>{{"eth0", 12'500'000'000, kRailLatency},
                                                                     {"eth1", 3'125'000'000, kRailLatency}}));
}

TEST_F(FakeMachine, KeepsTheOrderOfTheInterfacesAskedFor) {
  interface("a", "up", "10000");
  interface("b", "up", "-1");
  const LocalFacts facts = read_local({"b", "lo", "a", "gone"}, root_);
  EXPECT_EQ(facts.rails, (std::vector<cluster::Rail>{{"b", kDefaultRailSpeed, kRailLatency},
                                                     {"lo", kLoopbackSpeed, kRailLatency},
                                                     {"a", 1'250'000'000, kRailLatency},
                                                     {"gone", kDefaultRailSpeed, kRailLatency}}));
}

TEST_F(FakeMachine, IsTheSameHostOnlyForTheSameBootAndIpcNamespace) {
  file("/proc/sys/kernel/random/boot_id", "b7a0");
  std::filesystem::create_directories(root_ + "/proc/self/ns");
  std::filesystem::create_symlink("ipc:[1]", root_ + "/proc/self/ns/ipc");
  const std::string first = read_local({}, root_).host;
  EXPECT_EQ(first, "b7a0/ipc:[1]");
  std::filesystem::remove(root_ + "/proc/self/ns/ipc");
  std::filesystem::create_symlink("ipc:[2]", root_ + "/proc/self/ns/ipc");
  EXPECT_NE(read_local({}, root_).host, first);
}

TEST(Local, ReadsTheRunningMachine) {
  const LocalFacts facts = read_local();
  EXPECT_FALSE(facts.host.empty());
  EXPECT_FALSE(facts.cpus.empty());
  EXPECT_FALSE(facts.rails.empty());
  EXPECT_GT(facts.bytes_per_second, 0U);
}

TEST(Local, FindsTheInterfaceOfAnAddress) {
  const auto address = [](std::uint32_t host_order) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(host_order);
    SocketAddress result;
    result.storage = {};
    *reinterpret_cast<sockaddr_in*>(&result.storage) = in;
    return result;
  };
  EXPECT_EQ(interfaces_of({address(0x7f000001), address(0xcb007101)}), (std::vector<std::string>{"lo", "any"}));
}

TEST(CpuList, StopsAtWhatIsNotANumber) {
  EXPECT_EQ(parse_cpu_list("3,1-2,x,9"), (std::vector<std::uint32_t>{1, 2, 3}));
  EXPECT_TRUE(parse_cpu_list("").empty());
  EXPECT_TRUE(parse_cpu_list("0-99999999999").empty());
  EXPECT_TRUE(parse_cpu_list("5-2").empty());
  EXPECT_EQ(to_ranges({0, 1, 2, 8}), (std::vector<CpuRange>{{0, 2}, {8, 8}}));
}

LocalFacts facts_of(const std::string& host, std::vector<std::uint32_t> cpus) {
  LocalFacts facts;
  facts.host = host;
  facts.machine = host;
  facts.cpus = std::move(cpus);
  facts.bytes_per_second = 10'000'000'000;
  facts.rails = {{"eth0", 1'250'000'000, 20'000}, {"eth1", 3'000'000'000, 10'000}};
  return facts;
}

TEST(Record, DecodesWhatWasEncoded) {
  const LocalFacts facts = facts_of("h", {0, 1, 2, 64, 65535});
  const Result<LocalFacts> back = decode(encode(facts));
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_EQ(*back, facts);
}

TEST(Record, OfAThousandCpusIsSmall) {
  std::vector<std::uint32_t> cpus(1000);
  for (std::uint32_t i = 0; i < 1000; ++i) cpus[i] = i;
  EXPECT_LT(encode(facts_of("h", cpus)).size(), 150U);
}

TEST(Record, RefusesEveryTruncationAndSurvivesGarbage) {
  const std::vector<std::byte> good = encode(facts_of("host", {0, 1, 4}));
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(decode(ConstBytes(good.data(), size)).ok()) << size;
  constexpr std::uint64_t kSeed = 5;
  std::mt19937_64 random(kSeed);
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::byte> bad = good;
    for (int j = 0; j < 3; ++j) bad[random() % bad.size()] = static_cast<std::byte>(random());
    const Result<LocalFacts> back = decode(bad);
    if (!back)
      ++refused;
    else
      EXPECT_LE(back->cpus.size(), kMostCpus) << "seed " << kSeed;
  }
  EXPECT_GT(refused, 0);
}

TEST(Domains, AreRanksThatAllReachEachOtherBothWays) {
  const bool x = true, o = false;
  EXPECT_EQ(domains_of({{x, x, o}, {x, x, o}, {o, o, x}}), (std::vector<int>{0, 0, 1}));
  EXPECT_EQ(domains_of({{x, o, x}, {o, x, o}, {x, o, x}}), (std::vector<int>{0, 1, 0}));
  EXPECT_EQ(domains_of({{x, x}, {o, x}}), (std::vector<int>{0, 1})) << "one way is not enough";
  EXPECT_EQ(domains_of({{x, x, o}, {x, x, x}, {o, x, x}}), (std::vector<int>{0, 0, 1})) << "not transitive: no chain";
  EXPECT_EQ(domains_of({{}, {}}), (std::vector<int>{0, 1})) << "missing rows reach nobody";
}

TEST(Assemble, UnitesTheCpusOfADomain) {
  const Result<cluster::Cluster> cluster =
      assemble({facts_of("a", {0, 1}), facts_of("b", {0}), facts_of("a", {1, 2})}, {0, 1, 0});
  ASSERT_TRUE(cluster.ok());
  ASSERT_EQ(cluster->domains.size(), 2U);
  EXPECT_EQ(cluster->domains[0].cores, 3U);
  EXPECT_EQ(cluster->domains[1].cores, 1U);
  EXPECT_EQ(cluster->ranks[1].domain, 1);
  EXPECT_EQ(cluster->ranks[0].rails.size(), 2U);
  EXPECT_EQ(cluster->islands, (std::vector<cluster::Island>{{"host"}}));
}

TEST(Assemble, TakesTheSlowestMemoryAndOneIslandPerVendor) {
  LocalFacts slow = facts_of("a", {0});
  slow.bytes_per_second = 1000;
  slow.vendor = "cuda";
  const Result<cluster::Cluster> cluster = assemble({facts_of("a", {0}), slow}, {0, 0});
  ASSERT_TRUE(cluster.ok());
  EXPECT_EQ(cluster->domains[0].bytes_per_second, 1000U);
  EXPECT_EQ(cluster->ranks[1].island, 1);
}

TEST(Assemble, GivesAClusterWhoseTextReadsBack) {
  const Result<cluster::Cluster> cluster = assemble({facts_of("a", {0}), facts_of("b", {0})}, {0, 1});
  ASSERT_TRUE(cluster.ok());
  const Result<cluster::Cluster> back = cluster::parse(cluster::print(*cluster));
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_EQ(*back, *cluster);
}

TEST(Assemble, KnowsThatOneMachineTalksThroughItsLoopback) {
  const Result<cluster::Cluster> one = assemble({facts_of("a", {0}), facts_of("a", {1})}, {0, 1});
  const Result<cluster::Cluster> two = assemble({facts_of("a", {0}), facts_of("b", {1})}, {0, 1});
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_EQ(one->ranks[0].rails[0], (cluster::Rail{cluster::kLoopback, kLoopbackSpeed, 20'000}));
  EXPECT_EQ(two->ranks[0].rails[0].bytes_per_second, 1'250'000'000U);
  LocalFacts elsewhere = facts_of("a", {1});
  elsewhere.network = "net:[2]";
  const Result<cluster::Cluster> namespaces = assemble({facts_of("a", {0}), elsewhere}, {0, 1});
  ASSERT_TRUE(namespaces.ok());
  EXPECT_EQ(namespaces->ranks[0].rails[0].bytes_per_second, 1'250'000'000U);
}

TEST(Assemble, RefusesDomainsThatDoNotFit) {
  EXPECT_EQ(assemble({facts_of("a", {0})}, {0, 0}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(assemble({facts_of("a", {0}), facts_of("a", {0})}, {0, 2}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(assemble({facts_of("a", {0})}, {-1}).status().code(), Code::kInvalidArgument);
}

TEST(Oversubscribed, CountsTheRanksOfOneMachineAgainstTheirCpus) {
  const std::vector<LocalFacts> facts = {facts_of("a", {0, 1}), facts_of("b", {0}), facts_of("a", {0, 1}),
                                         facts_of("a", {0, 1}), facts_of("b", {1})};
  EXPECT_TRUE(oversubscribed(facts, 0));   // three ranks on two CPUs
  EXPECT_FALSE(oversubscribed(facts, 1));  // two ranks, bound to one CPU each
}

}  // namespace
}  // namespace amalgam::topo
