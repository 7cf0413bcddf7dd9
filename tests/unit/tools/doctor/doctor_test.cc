// `amalgam doctor` on programs that get NCCL in different ways, and its reading of the dynamic linker's notes.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "tools/doctor/trace.h"

namespace amalgam::doctor {
namespace {

std::string variable(const char* name) { return std::getenv(name); }
std::string caller(const std::string& name) { return variable("CALLERS") + "/caller_" + name; }
std::string vendors() { return variable("CALLERS") + "/libnccl.so.2"; }

struct Answer {
  int code = -1;
  std::string text;  // standard output and standard error
};

Answer run(const std::string& before, const std::string& arguments) {
  Answer answer;
  FILE* pipe = ::popen(
      ("env -u LD_LIBRARY_PATH " + before + " " + variable("AMALGAM_TOOL") + " doctor " + arguments + " 2>&1").c_str(),
      "r");
  if (pipe == nullptr) return answer;
  char buffer[4096];
  for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof(buffer), pipe)) > 0;) answer.text.append(buffer, got);
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) answer.code = WEXITSTATUS(status);
  return answer;
}

// The table's line of a program, with its runs of spaces made one; empty when there is none.
std::string line_of(const Answer& answer, const std::string& program) {
  std::size_t end = answer.text.find(" " + program + " ");
  if (end == std::string::npos) return "";
  const std::size_t start = answer.text.rfind('\n', end) + 1;
  std::string line;
  for (char letter : answer.text.substr(start, answer.text.find('\n', end) - start))
    if (letter != ' ' || (!line.empty() && line.back() != ' ')) line += letter;
  return line;
}

bool says(const Answer& answer, const std::string& words) { return answer.text.find(words) != std::string::npos; }

TEST(Doctor, SeesAPathInTheProgramThatLeadsToAnother) {
  for (const auto& [name, rule] : {std::pair{"rpath", "RPATH"}, std::pair{"runpath", "RUNPATH"}}) {
    const Answer answer = run("", "-- " + caller(name));
    EXPECT_EQ(answer.code, 0) << answer.text;
    EXPECT_EQ(line_of(answer, caller(name)),
              "1 " + caller(name) + " " + vendors() + " " + rule + " of caller_" + name + " NCCL of unknown version");
    EXPECT_TRUE(says(answer, "set LD_PRELOAD=")) << answer.text;
    EXPECT_EQ(says(answer, "RPATH comes before it"), rule == std::string("RPATH")) << answer.text;
  }
}

TEST(Doctor, SeesOursLinkedOrPreloaded) {
  const Answer linked = run("", "-- " + caller("ours"));
  EXPECT_NE(line_of(linked, caller("ours")).find("libnccl.so.2 RUNPATH of caller_ours Amalgam"), std::string::npos)
      << linked.text;
  const Answer preloaded = run("LD_PRELOAD=" + variable("OURS"), "-- " + caller("rpath"));
  EXPECT_EQ(line_of(preloaded, caller("rpath")),
            "1 " + caller("rpath") + " " + variable("OURS") + " LD_PRELOAD Amalgam");
  for (const Answer* answer : {&linked, &preloaded}) EXPECT_TRUE(says(*answer, "nothing to set")) << answer->text;
}

TEST(Doctor, SeesAPreloadThatDidNotReachAProgram) {
  const Answer answer = run("LD_PRELOAD=" + variable("OURS"), "-- env -u LD_PRELOAD " + caller("rpath"));
  EXPECT_NE(line_of(answer, caller("rpath")).find(vendors()), std::string::npos) << answer.text;
  EXPECT_TRUE(says(answer, "did not reach a program")) << answer.text;
}

TEST(Doctor, APreloadOfTheVendorsOwnIsNoneOfOurs) {
  const Answer answer = run("LD_PRELOAD=" + vendors(), "-- " + caller("none"));
  EXPECT_TRUE(says(answer, "set LD_PRELOAD=")) << answer.text;
}

TEST(Doctor, SeesWhatIsLinkedStatically) {
  const Answer answer = run("", "-- " + caller("static"));
  EXPECT_NE(line_of(answer, caller("static")).find("linked statically"), std::string::npos) << answer.text;
  EXPECT_TRUE(says(answer, "has its own NCCL inside")) << answer.text;
}

TEST(Doctor, SaysThatThereIsNone) {
  const Answer answer = run("", "-- " + caller("none"));
  EXPECT_TRUE(says(answer, "1 program has no NCCL\nnothing to set: no NCCL was asked for\n")) << answer.text;
}

TEST(Doctor, FollowsChildrenAndExecAndEndsWithTheCommandsCode) {
  const Answer answer =
      run("", "-- sh -c '" + caller("rpath") + "; " + caller("rpath") + "; " + caller("none") + "; exit 7'");
  EXPECT_EQ(answer.code, 7);
  EXPECT_EQ(line_of(answer, caller("rpath")).substr(0, 2), "2 ") << answer.text;
  EXPECT_TRUE(says(answer, "2 programs have no NCCL")) << answer.text;
  EXPECT_NE(line_of(run("", "-- sh -c 'exec " + caller("rpath") + "'"), caller("rpath")), "");
  EXPECT_EQ(run("", "-- sh -c 'kill -9 $$'").code, 128 + 9);
  EXPECT_EQ(run("", "-- /nowhere").code, 127);
}

TEST(Doctor, AloneTellsWhatTheMachineHas) {
  const Answer answer = run("LD_PRELOAD= AMALGAM_VENDOR_LIBRARY=/a/libnccl.so.2", "");
  EXPECT_EQ(answer.code, 0);
  for (const char* words : {"device runtimes", "collective libraries", "AMALGAM_VENDOR_LIBRARY = /a/libnccl.so.2"})
    EXPECT_TRUE(says(answer, words)) << answer.text;
}

TEST(Trace, ReadsSearchesNamesOfAuditModulesAndWhatIsMissing) {
  const std::vector<Image> images = read_trace(5,
                                               "     5:\tfile=libnccl.so.2 [0];  needed by prog [0]\n"
                                               "     5:\tfile=/o/libnccl.so.2 [0];  generating link map\n"
                                               "     5:\tfile=libc.so.6 [0];  needed by prog [0]\n"
                                               "     5:\tfind library=libc.so.6 [0]; searching\n"
                                               "     5:\t search path=/a:/b\t\t(LD_LIBRARY_PATH)\n"
                                               "     5:\t  trying file=/a/libc.so.6\n"
                                               "     5:\t search cache=/etc/ld.so.cache\n"
                                               "     5:\t  trying file=/lib/libc.so.6\n"
                                               "     5:\tfile=libc.so.6 [0];  generating link map\n"
                                               "     5:\tinitialize program: prog\n"
                                               "     5:\tfile=librccl.so [0];  dynamically loaded by prog [0]\n"
                                               "     5:\tfind library=librccl.so [0]; searching\n"
                                               "     5:\tnot a line of any kind\n"
                                               "     5:\tfile=libc.so.6 [0];  needed by next [0]\n");
  ASSERT_EQ(images.size(), 2U);
  ASSERT_EQ(images[0].loads.size(), 3U);
  EXPECT_EQ(images[0].loads[0].how, "LD_AUDIT");
  EXPECT_EQ(images[0].loads[0].path, "/o/libnccl.so.2");
  EXPECT_EQ(images[0].loads[1].how, "ld.so.cache");
  EXPECT_EQ(images[0].loads[1].path, "/lib/libc.so.6");
  EXPECT_EQ(images[0].loads[2].name, "librccl.so");
  EXPECT_EQ(images[0].loads[2].path, "");
  EXPECT_EQ(images[1].program, "next");
}

}  // namespace
}  // namespace amalgam::doctor
