// Two ranks in two network namespaces of their own, joined by pairs of virtual interfaces: which transport they find,
// over which addresses and interfaces they talk. Everything lives in namespaces made here and ends with their
// processes.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/processes.h"

namespace {

using support::Process;
using support::Variables;

bool run(const std::string& command) { return std::system(command.c_str()) == 0; }

// A shell that holds fresh namespaces, in which rank processes are started with nsenter.
class Place {
 public:
  explicit Place(const std::string& more = "", const std::string& shm = "1M")
      : own_pids_(more.find('p') != std::string::npos),
        shell_({"/usr/bin/unshare", "-n", "-m", "--propagation", "private", "/bin/sh", "-c",
                "mount -t tmpfs -o size=" + shm + " tmpfs /dev/shm && ip link set lo up && echo ready && read word"},
               {}) {
    EXPECT_EQ(shell_.line(), "ready");
  }

  std::string pid() const { return std::to_string(shell_.pid()); }
  bool in(const std::string& command) const { return run("nsenter -t " + pid() + " -n " + command); }

  Process start(int rank, const Variables& variables) const {
    Variables prefix = {"/usr/bin/nsenter", "-t", pid(), "-n", "-m"};
    if (own_pids_)
      for (const char* word : {"/usr/bin/unshare", "-p", "-f", "--mount-proc", "--kill-child"}) prefix.push_back(word);
    return support::start_rank(rank, 2, "sums", variables, prefix);
  }

  // Bytes that an interface has sent, by the kernel's count.
  std::uint64_t sent(const std::string& interface) const {
    const std::string copy = std::filesystem::temp_directory_path() / ("amalgam-sent-" + pid());
    EXPECT_TRUE(in("ip -s -j link show " + interface + " > " + copy));
    std::stringstream text;
    text << std::ifstream(copy).rdbuf();
    std::filesystem::remove(copy);
    const auto at = text.str().find("\"bytes\":", text.str().find("\"tx\""));
    return at == std::string::npos ? 0 : std::strtoull(text.str().c_str() + at + 8, nullptr, 10);
  }

 private:
  bool own_pids_;
  Process shell_;
};

// Two places and `pairs` veth pairs between them: wire0, wire1, … at 10.77.<pair>.1 and .2, or fd77:<pair>::1 and ::2.
struct World {
  explicit World(int pairs = 1, const std::string& more = "", bool ipv6 = false, const std::string& shm = "1M")
      : left(more, shm), right(more, shm) {
    for (int pair = 0; pair < pairs; ++pair) {
      const std::string wire = "wire" + std::to_string(pair);
      EXPECT_TRUE(left.in("ip link add " + wire + " type veth peer name " + wire + " netns " + right.pid()));
      int host = 0;
      for (const Place* place : {&left, &right}) {
        const std::string address = ipv6 ? "fd77:" + std::to_string(pair) + "::" + std::to_string(++host) + "/64 nodad"
                                         : "10.77." + std::to_string(pair) + "." + std::to_string(++host) + "/24";
        EXPECT_TRUE(place->in("ip addr add " + address + " dev " + wire));
        EXPECT_TRUE(place->in("ip link set " + wire + " up"));
      }
    }
  }

  // All sums are right on both ranks; the text of rank 0's log.
  std::string sums(Variables first, Variables second, const std::string& bytes = "8388608") {
    const std::string log = std::filesystem::temp_directory_path() / ("amalgam-namespace-" + std::to_string(getpid()));
    for (Variables* each : {&first, &second}) {
      each->push_back("AMALGAM_TEST_BYTES=" + bytes);
      each->push_back("AMALGAM_INIT_TIMEOUT=20s");
    }
    first.push_back("AMALGAM_LOG=info");
    first.push_back("AMALGAM_LOG_FILE=" + log);
    {
      std::vector<Process> ranks;
      ranks.push_back(left.start(0, first));
      ranks.push_back(right.start(1, second));
      support::carry_id(ranks);
      for (Process& rank : ranks) rank.expect("end");
      for (Process& rank : ranks) EXPECT_EQ(rank.wait(), 0);
    }
    std::stringstream text;
    text << std::ifstream(log).rdbuf();
    std::filesystem::remove(log);
    return text.str();
  }

  Place left, right;
};

bool says(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

class Namespaces : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!run("unshare -n -m --propagation private sh -c 'mount -t tmpfs -o size=1M tmpfs /dev/shm && ip link add a0 "
             "type veth peer name a1' "
             "2>/dev/null"))
      GTEST_SKIP() << "needs root, unshare, nsenter, ip and virtual interfaces";
  }
};

TEST_F(Namespaces, ThatShareProcessesUseSharedMemoryHoweverSmallTheirShmFolder) {
  for (const char* shm : {"64M", "1M"}) {
    World world(1, "", false, shm);
    const std::string log = world.sums({}, {});
    EXPECT_TRUE(says(log, "shm to 1 peers")) << log;
  }
}

TEST_F(Namespaces, WithProcessesOfTheirOwnFallBackToTcp) {
  World world(1, "p");
  const std::string log = world.sums({}, {});
  EXPECT_TRUE(says(log, "tcp to 1 peers")) << log;
}

TEST_F(Namespaces, OfDifferentHostIdentitiesUseTcp) {
  World world;
  const std::string log = world.sums({"NCCL_HOSTID=left"}, {"NCCL_HOSTID=right"});
  EXPECT_TRUE(says(log, "tcp to 1 peers")) << log;
}

TEST_F(Namespaces, WithIpv6AddressesOnlyWork) {
  World world(1, "p", true);
  const std::string log = world.sums({}, {});
  EXPECT_TRUE(says(log, "tcp to 1 peers")) << log;
}

TEST_F(Namespaces, JoinedByTwoWiresUseBoth) {
  World world(2, "p");
  (void)world.sums({}, {});
  const std::uint64_t first = world.left.sent("wire0"), second = world.left.sent("wire1");
  std::printf("wire0 %llu, wire1 %llu bytes\n", static_cast<unsigned long long>(first),
              static_cast<unsigned long long>(second));
  EXPECT_GT(first, 4U << 20);
  EXPECT_GT(second, 4U << 20);
}

TEST_F(Namespaces, UseTheInterfaceThatWasNamed) {
  World world(2, "p");
  const Variables named = {"NCCL_SOCKET_IFNAME==wire1"};
  (void)world.sums(named, named);
  EXPECT_LT(world.left.sent("wire0"), 100'000U);
  EXPECT_GT(world.left.sent("wire1"), 8U << 20);
}

}  // namespace
