// amalgam: what the library would do, on which machine, with which settings, and what a running process is doing.

#include <cstdio>
#include <exception>

#include "tools/commands.h"

namespace amalgam::tools {

int fail(const std::string& text, int code) {
  std::fputs(("amalgam: " + text + "\n").c_str(), stderr);
  return code;
}

namespace {

int run(int argc, char** argv) {
  CLI::App program("Amalgam: collective communication for mixed clusters", "amalgam");
  program.set_version_flag("--version", AMALGAM_VERSION);
  program.require_subcommand(1);
  int exit_code = 0;
  add_plan(&program, &exit_code);
  add_machine(&program, &exit_code);
  add_status(&program, &exit_code);
  add_doctor(&program, &exit_code);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : kMisused;  // help and version are errors of code 0
  }
  return exit_code;
}

}  // namespace
}  // namespace amalgam::tools

int main(int argc, char** argv) {
  try {
    return amalgam::tools::run(argc, argv);
  } catch (const std::exception& error) {
    return amalgam::tools::fail(error.what(), amalgam::tools::kMisused);
  }
}
