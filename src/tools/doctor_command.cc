#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tools/commands.h"
#include "tools/doctor/machine.h"
#include "tools/doctor/report.h"
#include "tools/doctor/run.h"

namespace amalgam::tools {
namespace {

constexpr int kNotStarted = 127;  // as shells say it

// The library that was installed with this program.
std::string our_library() {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path library = program.parent_path().parent_path() / "lib" / "libnccl.so.2";
  return !error && std::filesystem::exists(library, error) ? library.string() : "FOLDER-OF-AMALGAM/lib/libnccl.so.2";
}

// The report goes to standard error: standard output is the command's.
int doctor(const std::vector<std::string>& command) {
  if (command.empty()) return std::fputs(doctor::this_machines_libraries().c_str(), stdout), 0;
  const Result<doctor::Traced> traced = doctor::run_traced(command);
  if (!traced) return fail(traced.status().message(), kNotStarted);
  const char* preload = std::getenv("LD_PRELOAD");
  const std::string text = doctor::report(traced->images, our_library(), preload != nullptr ? preload : "");
  std::fputs(("\namalgam doctor: which NCCL the programs got\n" + text).c_str(), stderr);
  return traced->exit_code;
}

}  // namespace

void add_doctor(CLI::App* program, int* exit_code) {
  CLI::App* command = program->add_subcommand(
      "doctor", "which NCCL the programs of a command get, and why; without a command: what this machine has");
  auto words = std::make_shared<std::vector<std::string>>();
  command->add_option("command", *words, "after --: the command and its arguments");
  command->callback([words, exit_code] { *exit_code = doctor(*words); });
}

}  // namespace amalgam::tools
