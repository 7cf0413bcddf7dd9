#pragma once

// The subcommands of the `amalgam` program. Each adds itself to the command line and, when chosen, runs and leaves its
// exit code: 0 done, 1 the answer is no (a wrong plan, no such process), 2 the question is wrong (doctor: the command's
// own code). Results go to standard output, what is wrong to standard error.

#include <CLI/CLI.hpp>
#include <string>

namespace amalgam::tools {

void add_plan(CLI::App* program, int* exit_code);
void add_machine(CLI::App* program, int* exit_code);  // info, topo, settings
void add_status(CLI::App* program, int* exit_code);
void add_doctor(CLI::App* program, int* exit_code);

// Prints "amalgam: text" to standard error and returns `code`.
int fail(const std::string& text, int code);

inline constexpr int kNo = 1;
inline constexpr int kMisused = 2;

}  // namespace amalgam::tools
