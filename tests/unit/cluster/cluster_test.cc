#include "cluster/cluster.h"

#include <gtest/gtest.h>

#include <string>

namespace amalgam::cluster {
namespace {

constexpr const char* kText =
    "cluster\n"
    "island 0 vendor host\n"
    "domain 0 cores 2 memory 10000000000 latency 200\n"
    "rank 0 domain 0 island 0 rail eth0 1250000000 latency 20000\n"
    "rank 1 domain 0 island 0 rail eth0 1250000000 latency 20000 rail eth1 3000000000 latency 20000\n"
    "rank 2 domain 0 island 0\n";

std::string error_of(const std::string& text) {
  auto parsed = parse(text);
  return parsed.ok() ? "" : parsed.status().message();
}

TEST(Cluster, PrintIsTheInverseOfParse) {
  auto cluster = parse(kText);
  ASSERT_TRUE(cluster.ok()) << cluster.status().message();
  EXPECT_EQ(print(*cluster), kText);
  EXPECT_EQ(cluster->ranks[1].rails[1].network, "eth1");
  EXPECT_EQ(cluster->ranks_in(0), 3);
  EXPECT_TRUE(cluster->single_domain());
}

TEST(Cluster, PeopleMayWriteUnitsAndComments) {
  auto cluster = parse(
      "# mine\ncluster\n\nisland 0 vendor host # cpu\ndomain 0 cores 2 memory 10G latency 200\n"
      "rank 0 domain 0 island 0 rail eth0 1250M latency 20K\nrank 1 domain 0 island 0 rail eth0 1250M latency 20000 "
      "rail eth1 3G latency 20000\n"
      "rank 2 domain 0 island 0");
  ASSERT_TRUE(cluster.ok()) << cluster.status().message();
  EXPECT_EQ(print(*cluster), kText);
}

TEST(Cluster, EveryFieldChangesTheHash) {
  const Cluster base = uniform(4, 2, 2);
  const std::uint64_t hash = base.hash();
  EXPECT_EQ(uniform(4, 2, 2).hash(), hash);
  Cluster other = base;
  other.domains[1].cores = 3;
  EXPECT_NE(other.hash(), hash);
  other = base;
  other.ranks[3].rails[0].latency_ns += 1;
  EXPECT_NE(other.hash(), hash);
  other = base;
  other.islands[0].vendor = "cuda";
  EXPECT_NE(other.hash(), hash);
}

TEST(Cluster, UniformFillsDomainsInOrder) {
  const Cluster cluster = uniform(5, 2, 7);
  EXPECT_EQ(cluster.size(), 5);
  ASSERT_EQ(cluster.domains.size(), 3u);
  EXPECT_EQ(cluster.ranks_in(0), 2);
  EXPECT_EQ(cluster.ranks_in(2), 1);
  EXPECT_EQ(cluster.domains[1].cores, 7u);
  EXPECT_TRUE(parse(print(cluster)).ok());
}

TEST(Cluster, ErrorsNameTheLine) {
  EXPECT_EQ(error_of("cluster\nisland 1 vendor host\n").substr(0, 7), "line 2:");
  EXPECT_EQ(error_of(std::string(kText) + "rank 3 domain 1 island 0\n").substr(0, 7), "line 7:");
}

TEST(Cluster, RefusesWhatItCannotTrust) {
  const std::string head = "cluster\nisland 0 vendor host\ndomain 0 cores 2 memory 10G latency 200\n";
  for (const char* line :
       {"rank 1 domain 0 island 0", "rank 0 domain 0 island 1", "rank 0 domain -1 island 0", "rank 0 domain 0",
        "rank 0 domain 0 island 0 rail", "rank 0 domain 0 island 0 rail eth0 0 latency 1",
        "rank 0 domain 0 island 0 rail eth0 1X latency 1",
        "rank 0 domain 0 island 0 rail eth0 99999999999999999999 latency 1",
        "rank 0 domain 0 island 0 rail eth0 18446744073709551615G latency 1", "domain 1 cores 0 memory 1 latency 1",
        "domain 1 cores 1 memory 1", "planet 0"})
    EXPECT_NE(error_of(head + line + "\n"), "") << line;
  EXPECT_NE(error_of(""), "");
  EXPECT_NE(error_of("cluster\n"), "");
  EXPECT_NE(error_of("island 0 vendor host\n"), "");
}

TEST(Cluster, EveryTruncationOfALineIsAnErrorOrAWholeCluster) {
  const std::string text = kText;
  for (std::size_t length = 0; length < text.size(); ++length) {
    auto cluster = parse(text.substr(0, length));
    if (cluster.ok()) {
      EXPECT_GE(cluster->size(), 1) << length;
    }
  }
}

}  // namespace
}  // namespace amalgam::cluster
