// Settings of ranks as processes: disagreement at init, static rendezvous, secrets, configuration files.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "support/processes.h"

namespace {

using support::Process;
using support::Variables;

// The first variable on rank 0, the second on the others; every rank must fail with a text that has all the words.
void expect_disagreement(const std::string& first, const std::string& second, const std::vector<std::string>& words) {
  auto ranks = support::start_ranks(2, "idle", [&](int rank) { return Variables{rank == 0 ? first : second}; });
  for (Process& rank : ranks) {
    const std::string text = rank.expect("init failed");
    for (const std::string& word : words)
      EXPECT_NE(text.find(word), std::string::npos) << word << " is not in: " << text;
    EXPECT_EQ(rank.wait(), 66);
  }
}

TEST(Disagreement, OfASettingNamesItItsValuesAndTheRanks) {
  expect_disagreement("AMALGAM_SLOT_BYTES=65536", "AMALGAM_SLOT_BYTES=131072",
                      {"rank 0", "rank 1", "slot_bytes", "65536", "131072"});
}

TEST(Disagreement, OfTheReportedVersionNamesItsValuesAndTheRanks) {
  expect_disagreement("AMALGAM_VERSION=22809", "AMALGAM_VERSION=22703", {"rank 0", "rank 1", "22809", "22703"});
}

TEST(Disagreement, OfTheNumberOfRanksNamesBothNumbers) {
  std::vector<Process> ranks;
  ranks.push_back(support::start_rank(0, 2, "idle", {"AMALGAM_INIT_TIMEOUT=10s"}));
  ranks.push_back(support::start_rank(1, 3, "idle", {"AMALGAM_INIT_TIMEOUT=10s"}));
  support::carry_id(ranks);
  for (Process& rank : ranks) {
    const std::string text = rank.expect("init failed");
    EXPECT_NE(text.find('2'), std::string::npos) << text;
    EXPECT_NE(text.find('3'), std::string::npos) << text;
    EXPECT_EQ(rank.wait(), 66);
  }
}

std::string free_address() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), length), 0);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  close(fd);
  return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

TEST(CommId, BringsRanksTogetherOnLoopback) {
  auto ranks =
      support::start_ranks(3, "sums", Variables{"NCCL_COMM_ID=" + free_address(), "AMALGAM_TEST_BYTES=100000"});
  for (Process& rank : ranks) EXPECT_EQ(rank.wait(), 0);
}

TEST(CommId, RefusesARankWithAnotherSecret) {
  const std::string place = "NCCL_COMM_ID=" + free_address();
  auto ranks = support::start_ranks(2, "idle", [&](int rank) {
    return Variables{
        place, "AMALGAM_INIT_TIMEOUT=3s",
        "AMALGAM_SECRET=" + std::string(rank == 0 ? "one word that is long enough" : "another word that is long")};
  });
  for (Process& rank : ranks) {
    rank.expect("init failed");
    EXPECT_EQ(rank.wait(), 66);
  }
}

class ConfigurationFile : public ::testing::Test {
 protected:
  ConfigurationFile()
      : path_(std::filesystem::temp_directory_path() / ("amalgam-test-" + std::to_string(getpid()) + ".conf")) {}
  ~ConfigurationFile() override { std::filesystem::remove(path_); }
  void write(const std::string& text) { std::ofstream(path_) << text; }
  std::string variable() const { return "NCCL_CONF_FILE=" + path_.string(); }

 private:
  std::filesystem::path path_;
};

TEST_F(ConfigurationFile, SetsWhatTheEnvironmentDoesNot) {
  write("# for a test\nAMALGAM_SLOT_BYTES=65536\n");
  auto ranks =
      support::start_ranks(2, "idle", [&](int rank) { return rank == 0 ? Variables{variable()} : Variables{}; });
  for (Process& rank : ranks) {
    const std::string text = rank.expect("init failed");
    EXPECT_NE(text.find("slot_bytes") == std::string::npos ? text.find("SLOT_BYTES") : 0, std::string::npos) << text;
    EXPECT_NE(text.find("65536"), std::string::npos) << text;
  }
}

TEST_F(ConfigurationFile, GivesWayToTheEnvironment) {
  write("AMALGAM_SLOT_BYTES=65536\n");
  auto ranks = support::start_ranks(2, "idle", [&](int rank) {
    return rank == 0 ? Variables{variable(), "AMALGAM_SLOT_BYTES=131072"} : Variables{};
  });
  for (Process& rank : ranks) {
    rank.expect("joined");
    rank.say("go");
  }
  for (Process& rank : ranks) EXPECT_EQ(rank.wait(), 0);
}

}  // namespace
