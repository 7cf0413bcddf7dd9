// The `amalgam` program as its users meet it: what it prints, and its exit codes 0, 1 and 2.

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "base/unique_fd.h"
#include "cluster/cluster.h"
#include "plan/plan.h"

namespace amalgam {
namespace {

struct Answer {
  int code = -1;
  std::string text;  // standard output and standard error
};

Answer run(const std::string& arguments) {
  Answer answer;
  FILE* pipe = ::popen((std::string(::getenv("AMALGAM_TOOL")) + " " + arguments + " 2>&1").c_str(), "r");
  if (!pipe) return answer;
  char buffer[4096];
  for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof(buffer), pipe)) > 0;) answer.text.append(buffer, got);
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) answer.code = WEXITSTATUS(status);
  return answer;
}

class Tool : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(::getenv("AMALGAM_TOOL"), nullptr) << "set it to the program's path";
    directory_ = ::testing::TempDir() + "tool.XXXXXX";
    ASSERT_NE(::mkdtemp(directory_.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ + "/" + name) << text;
    return directory_ + "/" + name;
  }
  std::string directory_;
};

TEST_F(Tool, ShowsAPlanThatReadsBack) {
  const Answer answer = run("plan show --ranks 6 --collective allreduce --bytes 64M --family ring");
  EXPECT_EQ(answer.code, 0) << answer.text;
  const Result<plan::Plan> plan = plan::parse(answer.text);
  ASSERT_TRUE(plan.ok()) << plan.status().message();
  EXPECT_EQ(plan->name(), "allreduce.ring");
  EXPECT_EQ(plan->ranks, 6);
}

TEST_F(Tool, ChecksThePlanThatItMade) {
  const Answer answer = run("plan check --ranks 4 --collective reduce --bytes 1M --root 3");
  EXPECT_EQ(answer.code, 0) << answer.text;
  EXPECT_NE(answer.text.find("is right"), std::string::npos);
}

TEST_F(Tool, SaysWhatIsWrongWithAPlanFromAFile) {
  std::string text = run("plan show --ranks 4 --family direct").text;
  const std::string dependency = " rx[*],";
  ASSERT_NE(text.find(dependency), std::string::npos) << text;
  text.erase(text.find(dependency), dependency.size());
  const Answer answer = run("plan check " + file("wrong.plan", text));
  EXPECT_EQ(answer.code, 1) << answer.text;
  EXPECT_NE(answer.text.find("allreduce.direct is wrong: rank "), std::string::npos) << answer.text;
}

TEST_F(Tool, PlansForAClusterFromAFile) {
  const std::string path = file("two.cluster", cluster::print(cluster::uniform(4, 2, 2)));
  const Answer answer = run("plan explain --cluster " + path + " --bytes 4M");
  EXPECT_EQ(answer.code, 0) << answer.text;
  EXPECT_NE(answer.text.find("4 ranks"), std::string::npos) << answer.text;
  EXPECT_NE(answer.text.find("lower bound"), std::string::npos) << answer.text;
}

TEST_F(Tool, PrintsThisMachineAsACluster) {
  const Answer answer = run("topo --ranks 3");
  EXPECT_EQ(answer.code, 0) << answer.text;
  const Result<cluster::Cluster> cluster = cluster::parse(answer.text);
  ASSERT_TRUE(cluster.ok()) << cluster.status().message();
  EXPECT_EQ(cluster->size(), 3);
  EXPECT_TRUE(cluster->single_domain());
}

TEST_F(Tool, AnswersWrongQuestionsWithCodeTwo) {
  for (const char* arguments : {"", "plan", "plan show --collective nothing", "plan show --bytes many",
                                "plan show --family none", "plan show --ranks 0", "plan show --root 9",
                                "plan check /nowhere.plan", "plan show --cluster /nowhere", "status x"}) {
    const Answer answer = run(arguments);
    EXPECT_EQ(answer.code, 2) << arguments << ": " << answer.text;
    EXPECT_FALSE(answer.text.empty()) << arguments;
  }
}

TEST_F(Tool, ListsSettingsWithTheirOrigin) {
  const Answer answer = run("settings");
  EXPECT_EQ(answer.code, 0);
  EXPECT_NE(answer.text.find("AMALGAM_SLOT_BYTES="), std::string::npos) << answer.text;
  EXPECT_NE(run("info").text.find("reports NCCL 2."), std::string::npos);
}

TEST_F(Tool, PrintsTheStatusThatAProcessGives) {
  UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = "amalgam-" + std::to_string(::getpid());
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  std::string request;
  std::thread process([&] {
    const UniqueFd fd(::accept(listener.get(), nullptr, nullptr));
    char line[64];
    const ssize_t got = ::recv(fd.get(), line, sizeof(line), 0);
    if (got > 0) request.assign(line, static_cast<std::size_t>(got));
    ::send(fd.get(), "rank 1 waits\n", 13, MSG_NOSIGNAL);
  });
  const Answer answer = run("status " + std::to_string(::getpid()));
  if (answer.code != 0) ::shutdown(listener.get(), SHUT_RDWR);  // nobody connected: let the thread go
  process.join();
  EXPECT_EQ(answer.code, 0) << answer.text;
  EXPECT_EQ(answer.text, "rank 1 waits\n");
  EXPECT_EQ(request.back(), '\n');
}

TEST_F(Tool, SaysThatAProcessDoesNotAnswer) {
  const Answer answer = run("status " + std::to_string(::getpid()));
  EXPECT_EQ(answer.code, 1);
  EXPECT_NE(answer.text.find("does not answer"), std::string::npos) << answer.text;
}

}  // namespace
}  // namespace amalgam
